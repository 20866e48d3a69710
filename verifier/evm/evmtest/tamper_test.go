package evmtest

import (
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/evm"
)

// all are the proofs that every test of rejection runs on.
func all(t *testing.T) []*proved {
	t.Helper()
	out := []*proved{frozen(t, "public"), frozen(t, "private")}
	for i := range networks {
		out = append(out, networks[i].prove(t))
	}
	return out
}

// each runs a test on every proof, with its contract.
func each(t *testing.T, test func(t *testing.T, p *proved, d *deployed)) {
	t.Helper()
	contracts(t, optimized, frozen(t, "public").key) // skips before any key is made
	eachOf(t, all(t), test)
}

func eachOf(t *testing.T, proofs []*proved, test func(t *testing.T, p *proved, d *deployed)) {
	t.Helper()
	for _, p := range proofs {
		t.Run(p.name, func(t *testing.T) { test(t, p, deploy(t, optimized, p.key, p.model)) })
	}
}

// verdict is the class with which the contract answers a call.
func (d *deployed) verdict(c *evm.Call) string {
	d.t.Helper()
	_, _, err := d.call(c.Data(), 0)
	return d.classOf(err)
}

// with is the same proof with a part of it changed.
func (p *proved) with(edit func(*verifier.Bundle)) *proved {
	q, b := *p, *p.bundle
	b.Statement.Inputs, b.Statement.Outputs = slices.Clone(b.Statement.Inputs), slices.Clone(b.Statement.Outputs)
	edit(&b)
	q.bundle = &b
	return &q
}

// agree demands that contract and verifier in Go reject alike.
func (p *proved) agree(t *testing.T, d *deployed, what, want string) {
	t.Helper()
	native := verifier.Class(verifier.VerifyBundle(p.key, p.model, p.bundle))
	if got := d.verdict(p.call(t)); native != want || got != want {
		t.Errorf("%s: Go says %q, the contract %q, expected %q", what, native, got, want)
	}
}

// Points of the curve that are the wrong ones: the contract's verdict is that of the verifier in Go,
// for every point replaced, swapped, negated and sent to infinity, and for every scalar.
func TestOtherPoints(t *testing.T) {
	each(t, func(t *testing.T, p *proved, d *deployed) {
		honest, err := verifier.DecodeProof(p.groth16(), p.bundle.Proof)
		if err != nil {
			t.Fatal(err)
		}
		for what, edit := range edits(len(p.groth16().Commitments)) {
			proof := *honest
			proof.Commitments, proof.Deltas = slices.Clone(honest.Commitments), slices.Clone(honest.Deltas)
			edit(&proof)
			p.with(func(b *verifier.Bundle) { b.Proof = proof.Encode() }).agree(t, d, what, "rejected")
		}
	})
}

func edits(commitments int) map[string]func(*verifier.Proof) {
	_, _, g1, g2 := bn254.Generators()
	one := fr.One()
	out := map[string]func(*verifier.Proof){
		"A":               func(p *verifier.Proof) { p.Ar.Add(&p.Ar, &g1) },
		"A negated":       func(p *verifier.Proof) { p.Ar.Neg(&p.Ar) },
		"A at infinity":   func(p *verifier.Proof) { p.Ar = bn254.G1Affine{} },
		"B":               func(p *verifier.Proof) { p.Bs.Add(&p.Bs, &g2) },
		"B negated":       func(p *verifier.Proof) { p.Bs.Neg(&p.Bs) },
		"B at infinity":   func(p *verifier.Proof) { p.Bs = bn254.G2Affine{} },
		"C":               func(p *verifier.Proof) { p.Krs.Add(&p.Krs, &g1) },
		"C at infinity":   func(p *verifier.Proof) { p.Krs = bn254.G1Affine{} },
		"A and C swapped": func(p *verifier.Proof) { p.Ar, p.Krs = p.Krs, p.Ar },
		"knowledge":       func(p *verifier.Proof) { p.PoK.Add(&p.PoK, &g1) },
		"no knowledge":    func(p *verifier.Proof) { p.PoK = bn254.G1Affine{} },
		"nothing at all": func(p *verifier.Proof) {
			*p = verifier.Proof{Commitments: make([]bn254.G1Affine, len(p.Commitments)), Deltas: make([]fr.Element, len(p.Deltas))}
		},
	}
	for k := range commitments {
		next := (k + 1) % commitments
		out[fmt.Sprintf("commitment %d", k)] = func(p *verifier.Proof) { p.Commitments[k].Add(&p.Commitments[k], &g1) }
		out[fmt.Sprintf("commitment %d at infinity", k)] = func(p *verifier.Proof) { p.Commitments[k] = bn254.G1Affine{} }
		out[fmt.Sprintf("commitments %d and %d swapped", k, next)] = func(p *verifier.Proof) {
			p.Commitments[k], p.Commitments[next] = p.Commitments[next], p.Commitments[k]
		}
		// What the Groth16 equation alone cannot see: the sum of the commitments stays.
		out[fmt.Sprintf("a part of commitment %d moved to %d", k, next)] = func(p *verifier.Proof) {
			p.Commitments[k].Sub(&p.Commitments[k], &g1)
			p.Commitments[next].Add(&p.Commitments[next], &g1)
		}
	}
	for k := range commitments - 1 {
		out[fmt.Sprintf("δ %d plus one", k)] = func(p *verifier.Proof) { p.Deltas[k].Add(&p.Deltas[k], &one) }
		out[fmt.Sprintf("δ %d zero", k)] = func(p *verifier.Proof) { p.Deltas[k].SetZero() }
		out[fmt.Sprintf("δ %d negated", k)] = func(p *verifier.Proof) { p.Deltas[k].Neg(&p.Deltas[k]) }
	}
	return out
}

// Every byte of a proof matters.
func TestEveryProofByte(t *testing.T) {
	for _, name := range []string{"public", "private"} {
		p := frozen(t, name)
		d := deploy(t, optimized, p.key, p.model)
		c := p.call(t)
		deltas := len(c.Proof) - 32*(len(p.groth16().Commitments)-1)
		for i := range c.Proof {
			altered := *c
			altered.Proof = slices.Clone(c.Proof)
			altered.Proof[i] ^= 1 << (i % 8)
			class := d.verdict(&altered)
			if class != "malformed_proof" && (i < deltas || class != "rejected") {
				t.Errorf("%s: byte %d altered: %q", name, i, class)
			}
		}
	}
}

// The length of a proof is fixed.
func TestProofLength(t *testing.T) {
	p := frozen(t, "private")
	d := deploy(t, optimized, p.key, p.model)
	c := p.call(t)
	honest := c.Proof
	for n := 0; n < len(honest); n += 31 {
		if c.Proof = honest[:n]; d.verdict(c) != "malformed_proof" {
			t.Errorf("proof cut to %d bytes: %q", n, d.verdict(c))
		}
	}
	for _, more := range []int{1, 32, 64} {
		if c.Proof = append(slices.Clone(honest), make([]byte, more)...); d.verdict(c) != "malformed_proof" {
			t.Errorf("proof longer by %d bytes: %q", more, d.verdict(c))
		}
	}
	if c.Proof = honest; d.verdict(c) != "" {
		t.Error("the honest proof is rejected")
	}
}

// A coordinate or a scalar plus the field's order names the same element; none but the least is
// accepted. So replays of one statement cannot differ by it, and no public input is S + r.
func TestSecondEncodings(t *testing.T) {
	each(t, func(t *testing.T, p *proved, d *deployed) {
		c := p.call(t)
		honest := c.Proof
		scalars := len(honest)/32 - (len(p.groth16().Commitments) - 1)
		for i := range len(honest) / 32 {
			order := fp.Modulus()
			if i >= scalars {
				order = fr.Modulus()
			}
			c.Proof = slices.Clone(honest)
			word := c.Proof[32*i : 32*i+32]
			order.Add(order, new(big.Int).SetBytes(word)).FillBytes(word)
			if class := d.verdict(c); class != "malformed_proof" {
				t.Errorf("word %d plus the order: %q", i, class)
			}
		}
		for i := scalars; i < len(honest)/32; i++ {
			c.Proof = slices.Clone(honest)
			fr.Modulus().FillBytes(c.Proof[32*i : 32*i+32])
			if class := d.verdict(c); class != "malformed_proof" {
				t.Errorf("δ = r in word %d: %q", i, class)
			}
		}
	})
}

// Points off the curve, and a B of the twist that is not in the subgroup.
func TestPointsOffTheCurve(t *testing.T) {
	p := frozen(t, "private")
	d := deploy(t, optimized, p.key, p.model)
	c := p.call(t)
	honest := c.Proof
	n := len(p.groth16().Commitments)
	points := []int{0, 6}
	for k := range n + 1 {
		points = append(points, 8+2*k)
	}
	for _, word := range points {
		for what, xy := range map[string][2]byte{"(1, 1)": {1, 1}, "(0, 1)": {0, 1}, "(1, 0)": {1, 0}} {
			c.Proof = slices.Clone(honest)
			copy(c.Proof[32*word:], make([]byte, 64))
			c.Proof[32*word+31], c.Proof[32*word+63] = xy[0], xy[1]
			if class := d.verdict(c); class != "malformed_proof" {
				t.Errorf("%s at word %d: %q", what, word, class)
			}
		}
	}
	outside := outsideSubgroup(t).RawBytes()
	for what, b := range map[string][]byte{"off the twist": append(make([]byte, 127), 1), "outside of the subgroup": outside[:]} {
		c.Proof = slices.Clone(honest)
		copy(c.Proof[64:192], b)
		if class := d.verdict(c); class != "malformed_proof" {
			t.Errorf("B %s: %q", what, class)
		}
	}
}

// outsideSubgroup is a point of G2's curve that has another order.
func outsideSubgroup(t *testing.T) *bn254.G2Affine {
	t.Helper()
	b := bn254.G2Affine{}
	// y² = x³ + b: b follows from any point of the curve.
	_, _, _, g := bn254.Generators()
	var constant, cube bn254.E2
	constant.Square(&g.Y)
	cube.Square(&g.X)
	cube.Mul(&cube, &g.X)
	constant.Sub(&constant, &cube)
	for x := uint64(1); x < 100; x++ {
		b.X.A0.SetUint64(x)
		cube.Square(&b.X)
		cube.Mul(&cube, &b.X)
		cube.Add(&cube, &constant)
		if cube.Legendre() != 1 {
			continue
		}
		if b.Y.Sqrt(&cube); b.IsOnCurve() && !b.IsInSubGroup() {
			return &b
		}
	}
	t.Fatal("no such point")
	return nil
}

// A statement about something else is not proved; one that no proof can be about is told apart.
func TestOtherStatements(t *testing.T) {
	each(t, func(t *testing.T, p *proved, d *deployed) {
		p.agree(t, d, "the honest statement", "")
		for what, context := range map[string][]byte{"other context": []byte("task 2"), "no context": nil, "longer context": []byte("task 1\x00")} {
			p.with(func(b *verifier.Bundle) { b.Statement.Context = context }).agree(t, d, what, "rejected")
		}
		for side := range 2 {
			specs, values := p.groth16().Inputs, p.bundle.Statement.Inputs
			if side == 1 {
				specs, values = p.groth16().Outputs, p.bundle.Statement.Outputs
			}
			for i := range specs {
				for what, other := range otherValues(&specs[i], &values[i]) {
					p.with(func(b *verifier.Bundle) {
						target := b.Statement.Inputs
						if side == 1 {
							target = b.Statement.Outputs
						}
						target[i] = other
					}).agree(t, d, fmt.Sprintf("tensor %d of side %d: %s", i, side, what), "rejected")
				}
			}
		}
	})
}

// otherValues are values within a tensor's range that are not v.
func otherValues(t *verifier.TensorSpec, v *verifier.TensorValue) map[string]verifier.TensorValue {
	if v.Commitment != nil {
		_, _, g, _ := bn254.Generators()
		var sum, negative bn254.G1Affine
		sum.Add(&v.Commitment[0], &g)
		negative.Neg(&v.Commitment[0])
		return map[string]verifier.TensorValue{"another commitment": {Commitment: []bn254.G1Affine{sum}},
			"its commitment negated": {Commitment: []bn254.G1Affine{negative}}, "the point at infinity": {Commitment: make([]bn254.G1Affine, 1)}}
	}
	out := map[string]verifier.TensorValue{}
	for _, k := range []int{0, len(v.Values) / 2, len(v.Values) - 1} {
		values := slices.Clone(v.Values)
		if values[k]++; values[k] > t.Max {
			values[k] = t.Min
		}
		out[fmt.Sprintf("element %d", k)] = verifier.TensorValue{Values: values}
	}
	return out
}

// Statements that the encoder refuses to write: lengths, ranges, missing tensors, commitments off the
// curve.
func TestBadStatements(t *testing.T) {
	each(t, func(t *testing.T, p *proved, d *deployed) {
		honest := p.call(t)
		try := func(what string, edit func(*evm.Call)) {
			t.Helper()
			c := *honest
			c.Inputs, c.Outputs = slices.Clone(honest.Inputs), slices.Clone(honest.Outputs)
			edit(&c)
			if class := d.verdict(&c); class != "bad_statement" {
				t.Errorf("%s: %q", what, class)
			}
		}
		try("no inputs", func(c *evm.Call) { c.Inputs = nil })
		try("an input more", func(c *evm.Call) { c.Inputs = append(c.Inputs, c.Inputs[0]) })
		try("no outputs", func(c *evm.Call) { c.Outputs = nil })
		try("an output more", func(c *evm.Call) { c.Outputs = append(c.Outputs, c.Outputs[0]) })
		try("a long context", func(c *evm.Call) { c.Context = make([]byte, 1<<16+1) })
		for side, specs := range [][]verifier.TensorSpec{p.groth16().Inputs, p.groth16().Outputs} {
			for i := range specs {
				set := func(c *evm.Call, b []byte) { [][][]byte{c.Inputs, c.Outputs}[side][i] = b }
				b := [][][]byte{honest.Inputs, honest.Outputs}[side][i]
				name := fmt.Sprintf("tensor %d of side %d", i, side)
				try(name+" empty", func(c *evm.Call) { set(c, nil) })
				try(name+" cut", func(c *evm.Call) { set(c, b[:len(b)-1]) })
				try(name+" longer", func(c *evm.Call) { set(c, append(slices.Clone(b), 0)) })
				for what, bad := range outOfRange(&specs[i], b) {
					try(name+": "+what, func(c *evm.Call) { set(c, bad) })
				}
			}
		}
	})
}

// outOfRange are bytes of the right length that stand for no tensor.
func outOfRange(t *verifier.TensorSpec, b []byte) map[string][]byte {
	out := map[string][]byte{}
	if t.Binding == verifier.BindingCommitted {
		off := slices.Clone(b)
		off[63] ^= 1
		second := slices.Clone(b)
		order := fp.Modulus()
		order.Add(order, new(big.Int).SetBytes(b[:32])).FillBytes(second[:32])
		out["off the curve"], out["second encoding"] = off, second
		return out
	}
	width := t.Width()
	if t.Max-t.Min == 1<<(8*width)-1 {
		return out // all bytes are in range
	}
	for _, k := range []int{0, 1, len(b)/width/2 + 1, len(b)/width - 1} {
		if k >= len(b)/width {
			continue
		}
		for what, v := range map[string]uint64{"beyond": uint64(t.Max-t.Min) + 1, "far beyond": 1<<(8*width) - 1} {
			bad := slices.Clone(b)
			for j := range width {
				bad[k*width+j] = byte(v >> (8 * j))
			}
			out[fmt.Sprintf("element %d %s the range", k, what)] = bad
		}
	}
	return out
}

// The model is the one that the verifier was deployed with.
func TestOtherModels(t *testing.T) {
	each(t, func(t *testing.T, p *proved, d *deployed) {
		_, _, g, _ := bn254.Generators()
		shifted := slices.Clone(p.rows().Rows)
		shifted[len(shifted)-1].Add(&shifted[len(shifted)-1], &p.groth16().Commitments[1].H)
		foreign := slices.Clone(p.rows().Rows)
		foreign[0].Add(&foreign[0], &g)
		models := map[string][]bn254.G1Affine{"another salt": shifted, "other weights": foreign}
		if len(p.rows().Rows) > 1 {
			models["rows turned around"] = slices.Clone(p.rows().Rows)
			slices.Reverse(models["rows turned around"])
		}
		for what, rows := range models {
			other := deploy(t, optimized, p.key, &verifier.ModelCommitment{Rows: rows})
			if class := other.verdict(p.call(t)); class != "rejected" {
				t.Errorf("%s: %q", what, class)
			}
		}
	})
}

// What is no commitment for the key cannot be deployed.
func TestConstructor(t *testing.T) {
	p := frozen(t, "public")
	k := contracts(t, optimized, p.key)["ZkInferVerifier"]
	raw := p.rows().Rows[0].RawBytes()
	off := raw
	off[63] ^= 1
	for what, rows := range map[string][]byte{"nothing": {}, "a point less": raw[:0], "half a point": raw[:32], "a byte more": append(raw[:], 0),
		"a point more": append(raw[:], raw[:]...), "a point off the curve": off[:]} {
		arguments, err := k.abi.Pack("", rows)
		if err != nil {
			t.Fatal(err)
		}
		_, err = newChain(t).create(k, arguments)
		if name, _ := reason(k.abi, err); name != "KeyMismatch" {
			t.Errorf("%s: deployed, or refused for another reason: %v", what, err)
		}
	}
	if _, err := newChain(t).create(k, nil); err == nil {
		t.Error("deployed without a model commitment")
	}
}

// A proof for one key is none for another, whatever its length.
func TestOtherKeys(t *testing.T) {
	p, q := networks[7].prove(t), networks[0].prove(t)
	d := deploy(t, optimized, p.key, p.model)
	c := p.call(t)
	c.Proof = q.call(t).Proof
	if class := d.verdict(c); class != "rejected" {
		t.Errorf("a proof for another key: %q", class)
	}
}

// Call data that is cut anywhere is no call: decoding, lengths or the proof itself fail.
func TestCutCallData(t *testing.T) {
	p := frozen(t, "public")
	d := deploy(t, optimized, p.key, p.model)
	data := p.call(t).Data()
	last := len(data) - (32 - len(p.bundle.Statement.Context)%32) // what follows is padding
	for n := range last {
		if _, _, err := d.call(data[:n], 0); err == nil {
			t.Errorf("call data of %d bytes, cut to %d, is accepted", len(data), n)
		}
	}
	if _, _, err := d.call(data, 1); err == nil {
		t.Error("verify takes money")
	}
}
