// Package store keeps a canister's records in stable memory, where they survive upgrades without
// being copied anywhere.
//
// Records are found by 32-byte keys that are digests, in binary tries: the path to a record is as long as
// the prefixes that it shares with others, so whoever wants a longer one has to find digests that agree in
// more bits, and no order of insertion helps (in a search tree, sorted digests would make a list).
// Each node carries the hash of its subtree as the Internet Computer's certified variables define it, so
// the root's hash commits to all records, and Witness proves one of them to whoever has a certificate.
//
// Source: Internet Computer interface specification, "Certification". Pitfalls: nothing here undoes
// anything: a message that traps is rolled back by the system, and only by it; space is never freed.
package store
