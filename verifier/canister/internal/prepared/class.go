package prepared

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// classKey is the key of a size class, prepared. Its models are plain: most of what is added up are rows of the proof.
type classKey struct {
	*wrapped.Key
	equations *equations
	public    *Table
}

// newClassKey is nil for a key whose commitments have no common G, as none that was made for a circuit.
func newClassKey(vk *wrapped.Key) (*classKey, error) {
	var sigmas []bn254.G2Affine
	for i := range vk.Knowledge {
		if !vk.Knowledge[i].G.Equal(&vk.Knowledge[0].G) {
			return nil, nil
		}
		sigmas = append(sigmas, vk.Knowledge[i].GSigmaNeg)
	}
	e, err := newEquations(vk.Alpha, vk.Beta, vk.Gamma, vk.Delta, vk.Knowledge[0].G, sigmas)
	return &classKey{vk, e, NewTable(vk.K[1:])}, err
}

// Check implements Key.
func (k *classKey) Check(m Model, st *verifier.Statement, proof []byte) (fr.Element, error) {
	s, err := verifier.StatementDigest(k.Key, m.Commitment(), st)
	if err != nil {
		return s, err
	}
	c := m.Commitment().(*wrapped.Commitment) // or there would be no digest
	p, err := wrapped.DecodeProof(c.Architecture, proof)
	if err != nil {
		return s, err
	}
	claim, err := k.Claim(c, st, s, p)
	if err != nil {
		return s, err
	}
	if sum := Sum(claim.Rows, claim.Weights); !sum.Equal(&p.Commitments[wrapped.CommitRow]) {
		return s, wrapped.ErrRows
	}
	public := k.public.Sum(claim.Inputs[:])
	public.Add(&public, &k.K[0])
	points := &equationPoints{a: p.Ar, b: p.Bs, c: p.Krs, knowledge: p.PoK, commitments: p.Commitments[:], public: public}
	challenges := claim.Challenges()
	return s, k.equations.check(points, challenges, combiningFactor(s, challenges[0], proof))
}
