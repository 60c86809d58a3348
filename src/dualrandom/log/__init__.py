"""The transparency log: append-only, witnessed, published as static files (C2SP formats; docs/log.md).

    note          a text and its signatures                     checkpoint    what a log says of itself
    cosignature   a witness saw it, at this time                policy        whom a reader trusts
    merkle        roots and proofs of the tree                  proof         one entry's place, as a file
    tile          the tree and the entries as files             entry         what we log, and each draw's order
    keys          succession of log keys                        keystore      private keys, encrypted
    storage       appending, atomically (journal, durable)      reader        a published log, read
    fsck          every fault of a log's folder
    witness       the program that cosigns                      submit        asking witnesses to cosign

All but keystore, storage, journal, durable, reader, witness and submit compute from bytes alone: no files, clock or network
(fsck offers both: check_files is pure).
"""
