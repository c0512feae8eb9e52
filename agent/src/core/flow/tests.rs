//! A flow against made-up files: rotations, restarts, back-pressure.
