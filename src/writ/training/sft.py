"""Supervised fine-tuning with TRL on rows that are tokens already: TRL neither renders, cuts nor masks anything here."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from writ.errors import ArtifactError, ConfigError
from writ.schema import Row, content_id, semantic
from writ.settings import TrainingConfig
from writ.training import tiny
from writ.training.checks import RowsReport, prepare
from writ.training.encode import Encoded

PROGRESS = "checkpoints"
"""Folder of the checkpoints beside the weights."""


class Trained(NamedTuple):
    folder: Path
    report: RowsReport
    curve: tuple[tuple[int, float], ...]
    """Optimizer step and mean loss since the point before."""
    resumed_from: int
    """Step of the checkpoint that this start went on from; 0 for none."""
    precision: str


def train(config: TrainingConfig, rows: Sequence[Row], folder: Path) -> Trained:
    """Weights and tokenizer in `folder`. Killed and started again, it goes on from the last checkpoint there.

    Raises: ConfigError (model, settings), ArtifactError (rows), before any step is made.
    """
    tokenizer = open_tokenizer(config, rows)
    encoded, report = prepare(tokenizer, rows, config)
    _claim(folder / PROGRESS, content_id("training", [semantic(config), [[each.row_id, len(each.ids)] for each in encoded]]))
    model = _open_model(config, tokenizer)
    trainer = _trainer(config, model, tokenizer, encoded, folder)
    if not config.packing and len(trainer.train_dataset) != len(encoded):
        raise ArtifactError(f"TRL kept {len(trainer.train_dataset)} of {len(encoded)} rows; nothing may be dropped: report this with the versions")
    last = _last_checkpoint(folder / PROGRESS)
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    trainer.save_model(str(folder))
    tokenizer.save_pretrained(str(folder))
    curve = tuple((int(entry["step"]), float(entry["loss"])) for entry in trainer.state.log_history if "loss" in entry)
    return Trained(folder, report, curve, int(last.name.rpartition("-")[2]) if last else 0, "bf16" if trainer.args.bf16 else "fp32")


def open_tokenizer(config: TrainingConfig, rows: Sequence[Row]) -> Any:
    """The model's own; for `tiny`, one that is trained on the rows' texts. Raises: ConfigError where there is none, or it has no template."""
    if config.model == "tiny":
        texts = (json.dumps(row.messages, ensure_ascii=False) + row.tools for row in rows)
        return tiny.tokenizer(texts, tiny.qwen_template())
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


def _trainer(config: TrainingConfig, model: Any, tokenizer: Any, encoded: Sequence[Encoded], folder: Path) -> Any:
    from datasets import Dataset
    from trl import SFTTrainer

    data = Dataset.from_dict({"input_ids": [each.ids for each in encoded], "labels": [each.labels for each in encoded]})
    return SFTTrainer(
        model=model,
        args=_arguments(config, folder),
        train_dataset=data,
        processing_class=tokenizer,
        peft_config=_lora(config) if config.method == "lora" else None,
    )


def _arguments(config: TrainingConfig, folder: Path) -> Any:
    """Every default that bites is set: bf16 on CPU, the length limit, saving, reporting."""
    import torch
    from trl import SFTConfig

    gpu = torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(folder / PROGRESS),
        max_length=config.max_length_tokens if config.packing else None,
        packing=config.packing,
        num_train_epochs=config.epochs,
        max_steps=config.max_steps,
        learning_rate=config.learning_rate,
        warmup_steps=config.warmup_steps,
        lr_scheduler_type="cosine",
        per_device_train_batch_size=config.rows_at_once,
        gradient_accumulation_steps=config.rows_per_step // config.rows_at_once,
        bf16=gpu,
        use_cpu=not gpu,
        gradient_checkpointing=gpu,
        save_strategy="steps",
        save_steps=config.save_steps,
        save_total_limit=2,
        logging_steps=1,
        report_to="none",
        seed=config.seed,
        disable_tqdm=True,
    )


def _lora(config: TrainingConfig) -> Any:
    from peft import LoraConfig

    return LoraConfig(r=config.lora_rank, lora_alpha=config.lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM")


def _claim(folder: Path, identity: str) -> None:
    """Marks the folder as this training's. Raises: ConfigError where another's checkpoints lie there: going on from those would mix two."""
    mark = folder / "identity"
    if mark.is_file() and mark.read_text(encoding="utf-8") != identity:
        raise ConfigError(f"{folder} holds checkpoints of a training with other settings or rows; name another --to, or delete it")
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text(identity, encoding="utf-8")


def _last_checkpoint(folder: Path) -> Path | None:
    """The last checkpoint that is whole: its trainer state is written last."""
    steps = [path for path in folder.glob("checkpoint-*") if (path / "trainer_state.json").is_file()]
    return max(steps, key=lambda path: int(path.name.rpartition("-")[2]), default=None)
