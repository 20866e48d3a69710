// Package plonk checks PLONK proofs over BN254 whose circuits draw challenges from commitments to parts of
// the witness (BSB22, ePrint 2022/1072), as gnark's prover makes them.
//
// The promise: Verify returns nil only if, in the architecture and with the parameters fixed by the key, the
// stated input gives the stated output; docs/protocol.md has the argument. The parameters are constants of
// the gates, so that the key itself is what stands for a model: M is a digest of the key's.
//
// Source: Gabizon, Williamson, Ciobotaru (ePrint 2019/953), in the variant of gnark v0.16, against whose
// verifier this one is tested. Challenges are drawn with keccak-256. Nothing here is random: the two openings
// are merged with a challenge that covers them.
//
// Pitfalls: a key that a prover made proves nothing unless it is checked against the model, nor does one whose
// SRS somebody knows the secret of. BSB22's commitments are hashed into challenges only: see docs/protocol.md
// for what that takes.
package plonk
