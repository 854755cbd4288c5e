"""The stable part: the types that ``console`` and ``runbook`` share with the engine.

Only the standard library and pydantic are used here, and none of the other engine
packages, which may be the very thing that is broken. Modules are imported one by one;
this file imports nothing, to keep ``distill --help`` fast.
"""
