"""One file per verb, or per group of verbs. `cli.py` names them; nothing else imports them."""
