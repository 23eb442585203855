"""What to do about what RabbitMQ refuses."""

# By a part of RabbitMQ's words; the first that fits counts.
_ADVICE = {
    "CERTIFICATE_VERIFY_FAILED": "name who vouches for the broker's certificate in IMAGEMILL_TLS_CA_FILE, and reach "
    "the broker by a name that is in it",
    "x-consistent-hash": "enable RabbitMQ's plugin rabbitmq_consistent_hash_exchange",
    "NOT_FOUND - no ": "the writer declares exchanges and queues: see that it runs, and what it says",
    "Login was refused": "check the user and the password of AMQP_URL",
    "ACCESS_REFUSED": "give the user its permissions: charts/imagemill/README.md, Least privilege",
    "NOT_ALLOWED - ": "check the virtual host of AMQP_URL, and that the user may use it",
}


def advice(error: str) -> str | None:
    """None where nothing is known.

    >>> advice("(403) \\"ACCESS_REFUSED - write access to exchange 'images' refused\\"")
    'give the user its permissions: charts/imagemill/README.md, Least privilege'
    """
    return next((what for words, what in _ADVICE.items() if words in error), None)
