"""References as a customer voices them: varied noun phrases, and the facts that every one of them contains word for word."""

from collections.abc import Sequence
from random import Random

from writ.domains.retail.evidence_book import Json
from writ.domains.retail.payments import payment_words
from writ.domains.retail.templates import say
from writ.domains.retail.words import address_words, item_phrase, item_words, option_words, plain_money, product_words, with_article
from writ.domains.wording import listed
from writ.schema import Fact

_SUPERLATIVES = {"highest": ("most expensive", "priciest", "biggest"), "lowest": ("cheapest", "least expensive", "smallest")}
_ALL = ("every", "each")


def steady(value: Json, options: Sequence[str]) -> str:
    """One of the options, the same whenever this value is worded."""
    return options[sum(map(ord, repr(sorted(value.items())))) % len(options)]


def order_facts(ref: Json) -> tuple[Fact, ...]:
    """What an order reference says, piece by piece."""
    if ref["by"] == "ids":
        return tuple(Fact(name="order", value=order_id, text=order_id) for order_id in ref["ids"])
    facts = [*_criterion_facts(ref)]
    if ref.get("status"):
        facts.append(Fact(name="status", value=ref["status"], text=ref["status"]))
    if ref.get("each"):
        facts.append(Fact(name="scope", value="each", text=steady(ref, _ALL)))
    return tuple(facts)


def _criterion_facts(ref: Json) -> tuple[Fact, ...]:
    match ref["by"]:
        case "content":
            return tuple(item_fact(item) for item in ref["items"])
        case "total":
            return (Fact(name="which", value=ref["which"], text=steady(ref, _SUPERLATIVES[ref["which"]])),)
        case "above" | "below":
            words = plain_money(ref["amount"])
            return (Fact(name="amount", value=ref["amount"], text=words, wrong=plain_money(ref["amount"] + 100)),)
        case "city":
            return (Fact(name="city", value=ref["city"], text=ref["city"]),)
        case "paid":
            return (Fact(name="paid_with", value=ref["payment"], text=payment_words(ref["payment"])),)
        case "stock":
            return (Fact(name="stock", value=ref["sold_out"], text="out of stock" if ref["sold_out"] else "in stock"),)
        case _:
            return ()


def item_fact(ref: Json) -> Fact:
    return Fact(name="item", value=dict(ref), text=item_phrase(ref) if ref.get("each") else item_words(ref))


def order_phrase(ref: Json, rng: Random) -> str:
    """A noun phrase for the reference; contains every fact of `order_facts`."""
    if ref["by"] == "ids":
        return say(rng, "ids", {"ids": listed(ref["ids"]), "s": "s" if len(ref["ids"]) > 1 else ""})
    slots = {"status": f"{ref['status']} " if ref.get("status") else "", "every": steady(ref, _ALL)}
    if ref["by"] == "total":
        return say(rng, "total", slots | {"which": steady(ref, _SUPERLATIVES[ref["which"]])})
    head = say(rng, "each" if ref.get("each") else "one", slots)
    return f"{head} {_tail(ref, rng)}".strip()


def _tail(ref: Json, rng: Random) -> str:
    """What sets the order apart."""
    match ref["by"]:
        case "content":
            names = [item_words(item) for item in ref["items"]]
            return say(rng, "content", {"x": listed(with_article(name) if ref.get("each") else f"the {name}" for name in names)})
        case "above" | "below":
            return say(rng, ref["by"], {"x": plain_money(ref["amount"])})
        case "city":
            return say(rng, "city", {"x": ref["city"]})
        case "paid":
            return say(rng, "paid", {"x": payment_words(ref["payment"])})
        case "stock":
            return say(rng, "stock_gone" if ref["sold_out"] else "stock_there")
        case _:
            return say(rng, "all")


def order_script(ref: Json) -> str:
    """The reference for the user simulator, in plain words and the same facts."""
    return second_person(order_phrase(ref, Random(0)))


def second_person(text: str) -> str:
    """First person as second: `my order that I paid with` as `your order that you paid with`."""
    swaps = {"my": "your", "mine": "yours", "I": "you", "me": "you", "I'd": "you'd", "I've": "you've", "I'm": "you're", "myself": "yourself"}
    return " ".join(_swapped(word, swaps) for word in text.split(" "))


def _swapped(word: str, swaps: dict[str, str]) -> str:
    bare = word.rstrip(",.;!?")
    return swaps.get(bare, bare) + word[len(bare) :] if bare in swaps else word


def new_facts(new: Json) -> tuple[Fact, ...]:
    """What the words fix of the variant wanted."""
    if "product" in new:
        return (Fact(name="new_product", value=new["product"], text=product_words(new["product"])),)
    options = tuple(Fact(name="new_option", value={key: value}, text=option_words(key, value)) for key, value in new["options"].items())
    if new["best"]:
        return (*options, Fact(name="best", value=new["best"], text=_best(new)))
    return options


def _best(new: Json) -> str:
    return steady({**new, "options": ""}, {"lowest": ("cheapest", "lowest-priced"), "highest": ("most expensive", "highest-priced")}[new["best"]])


def new_phrase(new: Json, rng: Random) -> str:
    """A noun phrase for the variant wanted."""
    if "product" in new:
        return with_article(product_words(new["product"]))
    options = listed(option_words(key, value) for key, value in new["options"].items())
    slots: Json = {"o": options, "b": _best(new) if new["best"] else ""}
    if new["best"]:
        return say(rng, "best" if options else "best_of_all", slots)
    return say(rng, "same_but" if new["rest"] == "same" else "exact", slots)


def payment_fact(ref: Json) -> tuple[Fact, ...]:
    """How to pay, or where the refund goes; said when asked. A relation to another order stands in its own facts, piece by piece."""
    cues = ("payment", "pay", "paid", "card", "refund", "method", "charge")
    question = "Which payment method should be used?"
    if ref["by"] == "order":
        text = f"the method I used for {order_phrase(ref['order'], Random(1))}"
        return (Fact(name="payment", value=dict(ref), text=text, question=question, cues=cues, core=False),)
    wrong = {"card": "PayPal account", "paypal": "gift card", "gift_card": "PayPal account"}.get(ref["by"], "")
    return (Fact(name="payment", value=dict(ref), text=payment_words(ref), question=question, cues=cues, wrong=wrong, core=False),)


def payment_script(ref: Json) -> str:
    """The payment method for the user simulator."""
    if ref["by"] == "order":
        return f"the method you used for {second_person(order_phrase(ref['order'], Random(1)))}"
    return f"your {payment_words(ref)}"


def address_facts(ref: Json) -> tuple[Fact, ...]:
    """Where to send it; said when asked, but for a relation to another order, which is said at once."""
    cues = ("address", "street", "suite", "city", "zip", "ship", "where", "deliver")
    question = "What is the full new address?"
    match ref["by"]:
        case "words":
            wrong = address_words({**ref["address"], "address1": _other_house(ref["address"]["address1"])})
            return (
                Fact(name="address", value=ref["address"], text=address_words(ref["address"]), question=question, cues=cues, wrong=wrong, core=False),
            )
        case "edit":
            return (Fact(name="address2", value=ref["address2"], text=ref["address2"], question="What is the new suite?", cues=cues, core=False),)
        case "default":
            return (Fact(name="address", value="default", text="default address"),)
        case _:
            return order_facts(ref["order"])


def _other_house(address1: str) -> str:
    number, _, street = address1.partition(" ")
    return f"{int(number) + 7} {street}" if number.isdigit() else ""


def reason_fact(reason: str) -> Fact:
    other = {"no longer needed": "ordered by mistake", "ordered by mistake": "no longer needed"}.get(reason, "")
    return Fact(
        name="reason", value=reason, text=reason, question="What is the reason for the cancellation?", cues=("reason", "why"), wrong=other, core=False
    )
