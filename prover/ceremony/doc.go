// Package ceremony makes Groth16 keys by several parties: they are sound as long as one of them forgot
// its secrets.
//
// The promise: Verify returns nil only if every file of a transcript follows from the one before it by
// somebody's multiplication of the secrets, which that somebody knew, and the keys follow from the
// last file and a public random value. A third person needs the transcript and the circuit for that,
// nothing else. Whose circuit it is, an architecture's or a size class', this package does not know: see
// prover.CeremonyCircuit.
//
// The protocol is that of Bowe, Gabizon and Miers (ePrint 2017/1050) as gnark's mpcsetup has it, with a
// σ of its own for each commitment. What this package adds:
//
//   - every proof of knowledge is bound to its contributor's name and to the digest of everything
//     before it, not only to the points before it: nobody can put another name on a contribution;
//   - a circuit is refused if a constant could be added to all its constraints, because the proofs of
//     knowledge show enough of σ to add one;
//   - a contribution that multiplies by one, or twice by the same secret, is refused;
//   - files have the one encoding that the circuit allows, and their sizes are compared with it
//     before anything is decoded: gnark's decoders trust lengths that they read;
//   - phase 1 can come from a .ptau file of snarkjs, whose powers are checked by pairings.
//
// Pitfalls: that a contributor forgot its secrets cannot be checked, nor that two names are two people;
// a multiplication by a value that the world knows is as good as none, and only the value 1 is
// recognized. Whoever runs a ceremony could leave contributions out: each contributor looks for the
// digest of its own in the finished transcript. See docs/ceremony.md.
package ceremony
