"""Measurements of the operator: the scaling law in a simulator, many pools against a fake API, the rig on a cluster."""
