"""One application for each stack, as short as can be and without our code, to show what is the stack's doing and what is ours.

Its endpoints are those that the probes of `shared.lab` ask for; it calls the work service that `WORK_URL` names. With `SWITCHED`
in its environment it has those switches of the stack on that the variant beside it has on; without, it is as first pages show it.
"""
