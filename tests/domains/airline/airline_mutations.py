"""Other things that a read could show, each legal in this world: what the oracle tries against a certificate."""

from writ.domains.airline.clock import TODAY


def other_outputs(read, value, trips, slots, seen_rows=frozenset()):
    """Outputs of this read as they could be. `trips`: the user's reservations; `seen_rows`: flights (number, date) that other reads fix."""
    if read.name == "get_reservation_details":
        yield from other_trips(value, trips)
        yield from (as_told(value, slots[name]) for name in ("trip", "same_as", "every") if name in slots)
    elif read.name == "get_flight_status":
        yield from other_statuses(read.arguments["date"], value)
    elif read.name == "get_user_details":
        yield from other_users(value, slots)
    else:
        yield from other_searches(read, value, seen_rows)


def other_trips(trip, trips):
    """The reservation with the content of each other one, and with each fact that a rule or a reference looks at changed."""
    for other in trips:
        if other["reservation_id"] != trip["reservation_id"]:
            yield {**other, "reservation_id": trip["reservation_id"]}
            yield {**other, "reservation_id": trip["reservation_id"], "cabin": "business", "status": None}
    yield {**trip, "status": "cancelled"}
    yield {**trip, "user_id": "somebody_else_0000"}
    for cabin in ("basic_economy", "economy", "business"):
        for insurance in ("yes", "no"):
            for created in ("2024-05-01T00:00:00", "2024-05-15T10:00:00"):
                yield {**trip, "cabin": cabin, "insurance": insurance, "created_at": created}
    yield {**trip, "total_baggages": trip["total_baggages"] + 20}
    yield {**trip, "passengers": [*trip["passengers"], trip["passengers"][0]]}
    yield {**trip, "passengers": [{**person, "dob": "1900-01-01"} for person in trip["passengers"]]}
    yield {**trip, "origin": "QAA", "destination": "QBB"}
    yield {**trip, "payment_history": [{"payment_id": "certificate_0", "amount": 999_999}]}


def as_told(trip, ref):
    """The reservation with the content that a reference asks for."""
    first = {**trip["flights"][0], "date": ref.get("date", trip["flights"][0]["date"])}
    name = ref.get("with", "Ann Other").split()
    return {
        **trip,
        "origin": ref.get("from", trip["origin"]),
        "destination": ref.get("to", trip["destination"]),
        "cabin": ref.get("cabin", trip["cabin"]),
        "flights": [first, *trip["flights"][1:]],
        "passengers": [{"first_name": name[0], "last_name": name[-1], "dob": "1990-01-01"}] if "with" in ref else trip["passengers"],
        "created_at": "2024-05-15T14:00:00",
        "insurance": "yes",
    }


def other_statuses(date, value):
    legal = ("available", "cancelled", "delayed") if date > TODAY else ("landed", "cancelled", "delayed", "on time")
    yield from (status for status in legal if status != value)


def other_users(user, slots):
    """Another membership, other payment methods or balances, other saved travelers; the list of trips is tried by its own test."""
    for membership in ("regular", "silver", "gold"):
        yield {**user, "membership": membership}
    methods = user["payment_methods"]
    yield {**user, "payment_methods": {}}
    yield {**user, "payment_methods": {f"{key}0": {**method, "id": f"{key}0"} for key, method in methods.items()}}
    yield {**user, "payment_methods": {key: {**method, "amount": 1.0} if "amount" in method else method for key, method in methods.items()}}
    yield {**user, "saved_passengers": [{**person, "dob": "1900-01-01"} for person in user["saved_passengers"]], "dob": "1900-01-01"}
    yield {**user, "reservations": user["reservations"][:-1]}
    cards = [ref["card"].split() for ref in (*slots.get("payments", ()), slots.get("payment", {})) if ref.get("card", "only") != "only"]
    told = {f"credit_card_{n}": {"source": "credit_card", "id": f"credit_card_{n}", "brand": b, "last_four": n} for b, n in cards}
    yield {**user, "payment_methods": {**methods, **told}}


def other_searches(read, rows, seen_rows):
    """Nothing at all, no seats left, or one more flight: cheap and early, cheap and late, or of any number and hour that the words name."""
    date = read.arguments["date"]
    fixed = [row for row in rows if _keys(row, date) & seen_rows]
    yield fixed
    yield [row if row in fixed else _with_seats(row, 0) for row in rows]
    yield [row if row in fixed else _with_seats(row, 20) for row in rows]
    for departs, arrives in (("00:00:00", "00:01:00"), ("23:58:00", "23:59:00"), ("12:00:00", "12:01:00")):
        new = _new_row(read, departs, arrives)
        yield [*rows, new if read.name == "search_direct_flight" else [{**new, "date": date}, {**new, "flight_number": "NEW002", "date": date}]]


def _keys(row, date):
    return {(each["flight_number"], each["date"] or date) for each in (row if isinstance(row, list) else [row])}


def _with_seats(row, seats):
    if isinstance(row, list):
        return [_with_seats(each, seats) for each in row]
    return {**row, "available_seats": dict.fromkeys(row["available_seats"], seats)}


def _new_row(read, departs, arrives):
    return {
        "flight_number": "NEW001",
        "origin": read.arguments["origin"],
        "destination": read.arguments["destination"],
        "status": "available",
        "scheduled_departure_time_est": departs,
        "scheduled_arrival_time_est": arrives,
        "date": None,
        "available_seats": {"basic_economy": 20, "economy": 20, "business": 20},
        "prices": {"basic_economy": 1, "economy": 1, "business": 1},
    }
