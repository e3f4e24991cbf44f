"""Supervised fine-tuning with TRL on rows that are tokens already: TRL neither renders, cuts nor masks anything here."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from writ.errors import ArtifactError, ConfigError, Unavailable
from writ.schema import Row
from writ.settings import TrainingConfig
from writ.training import tiny
from writ.training.checkpoints import Checkpoints
from writ.training.checks import RowsReport, prepare
from writ.training.encode import Encoded

PROGRESS = "checkpoints"
"""Folder below the weights in which TRL keeps its checkpoints; no part of them."""

ADAPTER = "adapter"
"""Folder of the adapters beside the merged weights."""


class Trained(NamedTuple):
    folder: Path
    report: RowsReport
    curve: tuple[tuple[int, float], ...]
    """Optimizer step and mean loss since the point before."""
    resumed_from: int
    """Step of the checkpoint that this start went on from; 0 for none."""
    precision: str
    devices: int
    """Processes that trained together."""
    main: bool
    """Whether this process is the one of them that saves."""


def train(
    config: TrainingConfig, rows: Sequence[Row], folder: Path, checkpoints: Checkpoints, step: Callable[[int], bool] = lambda _: False
) -> Trained:
    """Weights and tokenizer in `folder`, which is empty: what a start before this one left is in `checkpoints`. In each of the processes that
    torchrun starts; the first of them saves. `step` hears of each optimizer step, and says whether to stop after it.

    Raises: ConfigError (model, settings), ArtifactError (rows), before any step is made; Unavailable (stopped, and saved).
    """
    from accelerate import PartialState

    tokenizer = open_tokenizer(config, rows)
    encoded, report = prepare(tokenizer, rows, config)
    arguments = _arguments(config, folder)
    here = PartialState()
    trainer = _trainer(config, _open_model(config, tokenizer), tokenizer, encoded, arguments)
    if not config.packing and len(trainer.train_dataset) != len(encoded):
        raise ArtifactError(f"TRL kept {len(trainer.train_dataset)} of {len(encoded)} rows; nothing may be dropped: report this with the versions")
    trainer.add_callback(_watching(checkpoints, step))
    with here.local_main_process_first():
        last = checkpoints.restore(folder / PROGRESS) if here.is_local_main_process else _last_checkpoint(folder / PROGRESS)
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    if trainer.state.global_step < trainer.state.max_steps:
        here.wait_for_everyone()  # the first to leave ends the others, and one of them may still be sending the checkpoint
        raise Unavailable(f"the training was told to stop at step {trainer.state.global_step} of {trainer.state.max_steps}; the same command goes on")
    if here.is_main_process:
        _save(trainer, tokenizer, folder, config)
    here.wait_for_everyone()
    curve = tuple((int(entry["step"]), float(entry["loss"])) for entry in trainer.state.log_history if "loss" in entry)
    resumed = int(last.name.rpartition("-")[2]) if last else 0
    return Trained(folder, report, curve, resumed, "bf16" if arguments.bf16 else "fp32", here.num_processes, bool(here.is_main_process))


def _save(trainer: Any, tokenizer: Any, folder: Path, config: TrainingConfig) -> None:
    """Weights that any server loads: adapters are merged into the model, and lie beside it as well."""
    import torch

    model = trainer.accelerator.unwrap_model(trainer.model)
    if config.method == "lora":
        model.save_pretrained(folder / ADAPTER)
        model = model.merge_and_unload()
    if trainer.args.bf16:
        model.to(torch.bfloat16)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def save_base(config: TrainingConfig, trained: Path, folder: Path) -> None:
    """`tiny` as it was before it was trained, with the tokenizer that lies in `trained`: what the trained model is compared with."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(trained)
    _open_model(config, tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _watching(checkpoints: Checkpoints, step: Callable[[int], bool]) -> Any:
    """Sends every checkpoint to the store, once all processes have written theirs."""
    from accelerate import PartialState
    from transformers import TrainerCallback

    class Watching(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if _any(step(state.global_step)):
                control.should_save = control.should_training_stop = True

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            PartialState().wait_for_everyone()
            if state.is_world_process_zero and state.global_step < state.max_steps:  # the last is followed by the weights themselves
                checkpoints.keep(Path(args.output_dir) / f"checkpoint-{state.global_step}", state.global_step)

    return Watching()


def _any(here: bool) -> bool:
    """Whether one of the processes says so: all of them must stop at the same step."""
    import torch
    from accelerate import PartialState
    from accelerate.utils import reduce

    state = PartialState()
    return here if state.num_processes == 1 else bool(reduce(torch.tensor(float(here), device=state.device)))


def open_tokenizer(config: TrainingConfig, rows: Sequence[Row]) -> Any:
    """The model's own; for `tiny`, one that is trained on the rows' texts. Raises: ConfigError where there is none, or it has no template."""
    if config.model == "tiny":
        compact = config.template == "compact"
        texts = (text for row in rows for text in tiny.texts(row, compact))
        return tiny.tokenizer(texts, tiny.COMPACT if compact else tiny.qwen_template(), config.vocabulary_tokens)
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(config.model, revision=config.revision)
    except (OSError, ValueError) as e:
        raise ConfigError(f"training.model '{config.model}' has no tokenizer that can be loaded ({str(e).splitlines()[0]}); name a folder") from e
    if not tokenizer.chat_template:
        raise ConfigError(f"training.model '{config.model}' has no chat template; take an Instruct model")
    return tokenizer


def _open_model(config: TrainingConfig, tokenizer: Any) -> Any:
    """Weights that are trained are held in fp32, or small steps would vanish in bf16's rounding; frozen ones in bf16 where there is a GPU."""
    if config.model == "tiny":
        return tiny.model(len(tokenizer), seed=config.seed)
    import torch
    from transformers import AutoModelForCausalLM

    kind = torch.bfloat16 if torch.cuda.is_available() and config.method == "lora" else torch.float32
    return AutoModelForCausalLM.from_pretrained(config.model, revision=config.revision, dtype=kind)


def _trainer(config: TrainingConfig, model: Any, tokenizer: Any, encoded: Sequence[Encoded], arguments: Any) -> Any:
    from datasets import Dataset
    from trl import SFTTrainer

    data = Dataset.from_dict({"input_ids": [each.ids for each in encoded], "labels": [each.labels for each in encoded]})
    return SFTTrainer(
        model=model,
        args=arguments,
        train_dataset=data,
        processing_class=tokenizer,
        peft_config=_lora(config) if config.method == "lora" else None,
    )


def _arguments(config: TrainingConfig, folder: Path) -> Any:
    """Every default that bites is set: bf16 on CPU, the length limit, saving, reporting. Raises: ConfigError if devices do not divide a step."""
    import torch
    from trl import SFTConfig

    gpu = torch.cuda.is_available()
    arguments = SFTConfig(
        output_dir=str(folder / PROGRESS),
        max_length=config.max_length_tokens if config.packing else None,
        packing=config.packing,
        num_train_epochs=config.epochs,
        max_steps=config.max_steps,
        learning_rate=config.learning_rate,
        warmup_steps=config.warmup_steps,
        lr_scheduler_type="cosine",
        per_device_train_batch_size=config.rows_at_once,
        bf16=gpu,
        use_cpu=not gpu,
        gradient_checkpointing=gpu,
        ddp_find_unused_parameters=False,
        save_strategy="steps",
        save_steps=config.save_steps,
        save_total_limit=1,
        logging_steps=1,
        report_to="none",
        seed=config.seed,
        disable_tqdm=True,
    )
    at_once = config.rows_at_once * arguments.world_size
    if config.rows_per_step % at_once:
        raise ConfigError(
            f"training.rows_per_step={config.rows_per_step} is no multiple of {at_once}, which is rows_at_once={config.rows_at_once} on each of "
            f"{arguments.world_size} devices; set one that is"
        )
    arguments.gradient_accumulation_steps = config.rows_per_step // at_once
    return arguments


def _lora(config: TrainingConfig) -> Any:
    from peft import LoraConfig

    return LoraConfig(r=config.lora_rank, lora_alpha=config.lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM")


def _last_checkpoint(folder: Path) -> Path | None:
    """The last checkpoint that is whole: its trainer state is written last."""
    steps = [path for path in folder.glob("checkpoint-*") if (path / "trainer_state.json").is_file()]
    return max(steps, key=lambda path: int(path.name.rpartition("-")[2]), default=None)
