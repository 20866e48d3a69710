package wrapped

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/verifier"
)

// Steps are the verdicts of the three steps of a verification, each by itself: after the transcript of one proof, on the points
// of another.
func (k *Key) Steps(c *Commitment, st *verifier.Statement, told, shown *Proof) (groth16, knowledge, link error) {
	s, err := verifier.StatementDigest(k, c, st)
	if err != nil {
		return err, err, err
	}
	rows := c.Seeded(st, told.Rows)
	r := claims.NewVerifier(Seed(s, told.Commitments[CommitPads], rows...), told.Sent)
	o, err := c.Architecture.Run(r, c.Architecture.Public(st), nil, nil)
	if err != nil {
		return err, err, err
	}
	u, err := k.Class.PublicForm(r, o)
	if err != nil {
		return err, err, err
	}
	f, first := Digest(r), Challenge(told.Commitments[CommitPads], s)
	z := Challenge(told.Commitments[CommitForm], f, first)
	inputs := []fr.Element{s, f, claims.Combine(u, z), first, z, Challenge(told.Commitments[CommitRow], z)}
	return k.groth16(shown, inputs), k.knowledge(shown, inputs[3:]), k.link(c.Architecture.layout, c.Seeded(st, shown.Rows), shown, o.Point)
}
