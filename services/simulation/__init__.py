"""The protocol of the ledger in one process, step by step: our code, over models of its servers and its clock.

A run is made of choices alone (who goes on, what goes wrong, when). One seed gives the same run again, and the choices
of a run that broke the promise are cut down to the shortest that still does.
"""
