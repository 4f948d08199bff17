"""Run a variant for the lab.

A worker process imports the main module again, which takes it a fourth of a second where that is the variant's `serve`; this one
is passed over. What a reader starts has `serve` for its main module: `run_as_a_reader` sees that.
"""

if __name__ == "__main__":
    from shared.lab.host import main

    main()
