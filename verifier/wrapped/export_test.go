package wrapped

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/verifier"
)

// Steps are the verdicts of the three steps of a verification, each by itself: after the transcript of one proof, on the points
// of another.
func (k *Key) Steps(c *Commitment, st *verifier.Statement, told, shown *Proof) (groth16, knowledge, link error) {
	s, err := verifier.StatementDigest(k, c, st)
	if err != nil {
		return err, err, err
	}
	claim, err := k.Claim(c, st, s, told)
	if err != nil {
		return err, err, err
	}
	// The weights are those of the transcript, rows and δ those that are shown.
	linked := Claim{Weights: append([]fr.Element{}, claim.Weights...)}
	linked.Weights[len(linked.Weights)-1] = shown.Delta
	for _, rows := range c.Seeded(st, shown.Rows) {
		linked.Rows = append(linked.Rows, rows...)
	}
	linked.Rows = append(linked.Rows, k.H)
	return k.groth16(shown, claim.Inputs[:]), k.knowledge(shown, claim.Challenges()), linked.link(shown)
}
