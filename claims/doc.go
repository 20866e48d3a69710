// Package claims is the verifier's half of the sumcheck protocol: messages, challenges, and the equations
// between them, written once. The prover runs the same code to learn what it has to send.
//
// A Run reads messages in order and draws a challenge only after everything before it was absorbed.
// Secrets travel under one-time pads: what a Run reads is message + pad. Challenges are public, so every
// check is a public linear form in the secret messages and the cells of the committed vector Z, plus
// products of two messages where messages are multiplied. A Run collects those forms (Require); whoever
// owns the pads (a circuit, or a test that knows them) decides whether they hold.
//
// Sources: Lund, Fortnow, Karloff and Nisan (1992) for sumcheck; Papini and Haböck, "Improving logarithmic
// derivative lookups using GKR" (ePrint 2023/1284); Gruen (ePrint 2024/108) for rounds with an eq factor.
//
// Pitfalls: a function that returns a claim must have absorbed every value in it; forms are claims only once
// they were required.
package claims
