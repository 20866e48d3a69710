package evm

import (
	"encoding/hex"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/verifier/plonk"
)

const plonkProofBytes = plonk.RawProofSize

// plonkView is what the template of PLONK shows of a key.
type plonkView struct {
	common
	Model              string // M
	LogSize            int
	Public, Places     int // public inputs; with the gates that receive challenges
	ProofBytes         int
	Omega              string
	Challenges         [plonk.Commitments]string // ω to the place of each gate that receives a challenge
	InverseSize        string
	Points, LastOpened string // of the key as they are hashed, in hexadecimal
	Ql, Qr, Qm, Qo, Qk g1View
	S                  [3]g1View
	Qcp                [plonk.Commitments]g1View
	TauG2, One         g2View
	Packed             []packedView
	Opened             []pointView // what the key has of the polynomials opened at ζ, with the words of their values
}

func newPlonkView(vk *plonk.VerifyingKey) *plonkView {
	model := plonk.ModelCommitment{Key: vk.Digest()}
	omega := vk.Generator()
	var size fr.Element
	size.SetUint64(uint64(1) << vk.LogSize)
	size.Inverse(&size)
	_, _, _, one := bn254.Generators()
	v := &plonkView{common: newCommon(vk), Model: hexDigest(model.Digest()), LogSize: vk.LogSize, Public: 1, ProofBytes: plonkProofBytes,
		Omega: scalar(&omega), InverseSize: scalar(&size), Ql: g1(&vk.Ql), Qr: g1(&vk.Qr), Qm: g1(&vk.Qm), Qo: g1(&vk.Qo), Qk: g1(&vk.Qk),
		TauG2: g2(&vk.TauG2), One: g2(&one)}
	v.HoldsModel = true
	for i := range vk.S {
		v.S[i] = g1(&vk.S[i])
		v.Points += hexPoint(&vk.S[i])
	}
	for _, p := range []*bn254.G1Affine{&vk.Ql, &vk.Qr, &vk.Qm, &vk.Qo, &vk.Qk} {
		v.Points += hexPoint(p)
	}
	v.LastOpened = hexPoint(&vk.S[0]) + hexPoint(&vk.S[1])
	for i := range vk.Qcp {
		v.Qcp[i] = g1(&vk.Qcp[i])
		v.Points += hexPoint(&vk.Qcp[i])
		v.LastOpened += hexPoint(&vk.Qcp[i])
	}
	for i, p := range []g1View{v.S[0], v.S[1], v.Qcp[0], v.Qcp[1]} {
		v.Opened = append(v.Opened, pointView{p, 25 + i})
	}
	for i, side := range [][]tensorView{v.Inputs, v.Outputs} {
		for _, t := range side {
			step := 31 / t.Width * t.Width
			v.Packed = append(v.Packed, packedView{Side: []string{"inputs", "outputs"}[i], Tensor: t.Index, Step: step})
			v.Public += (t.Bytes + step - 1) / step
		}
	}
	v.Places = v.Public + plonk.Commitments
	for i, gate := range vk.Challenges {
		var at fr.Element
		at.Exp(omega, big.NewInt(int64(v.Public+gate)))
		v.Challenges[i] = scalar(&at)
	}
	return v
}

func scalar(e *fr.Element) string {
	b := e.Bytes()
	return literal(b[:])
}

func hexPoint(p *bn254.G1Affine) string {
	b := p.RawBytes()
	return hex.EncodeToString(b[:])
}
