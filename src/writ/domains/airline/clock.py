"""The airline's clock: the present is fixed, all times are EST, and schedules write next-day arrivals as `01:30:00+1`."""

from datetime import date, timedelta

NOW = "2024-05-15T15:00:00"
TODAY = NOW[:10]
DAY_AGO = "2024-05-14T15:00:00"
"""Bookings made at or after this moment are within the last 24 hours."""

MONTHS = ("", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


def minutes(day: str, time: str) -> int:
    """Minutes of a scheduled time on a day since the year 1; `+1` counts as the next day."""
    clock, _, shift = time.partition("+")
    days = date.fromisoformat(day).toordinal() + int(shift or 0)
    return days * 1440 + int(clock[:2]) * 60 + int(clock[3:5])


def shifted(day: str, days: int) -> str:
    """The ISO date so many days later."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def day_text(day: str) -> str:
    """`2024-05-25` as `May 25`."""
    return f"{MONTHS[int(day[5:7])]} {int(day[8:10])}"


def clock_text(time: str) -> str:
    """`17:00:00` as `5:00 PM`; what follows `+` is left out."""
    hour, minute = int(time[:2]), time[3:5]
    return f"{hour % 12 or 12}:{minute} {'PM' if hour >= 12 else 'AM'}"
