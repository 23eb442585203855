"""Scales Deployments which consume RabbitMQ queues, and says why."""
