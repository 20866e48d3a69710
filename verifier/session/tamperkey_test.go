package session_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// pending is a case that waits for its place in the file.
type pending struct {
	name     string
	proof    []byte
	declared []string
}

func (g *generator) flush() {
	slices.SortFunc(g.pending, func(a, b pending) int { return cmp.Compare(a.name, b.name) })
	for _, p := range g.pending {
		g.proof(p.name, p.proof, p.declared...)
	}
	g.pending = nil
}

// keys are damaged verifying keys, and other ones to which everything else was made to fit.
func (g *generator) keys() {
	if g.class != nil {
		g.classKeys()
		return
	}
	const alpha = 4 + len("zkinfer/vk/2")
	g.brokenKeys(alpha)
	g.with("key with an enormous number of points", g.keyWith(alpha+64+3*128, 0xff, 0xff, 0xff, 0xff), nil, g.proofFile, "malformed_key")
	for _, c := range []struct {
		name string
		edit func(*verifier.VerifyingKey)
	}{
		{"α of the key negated", func(k *verifier.VerifyingKey) { k.Alpha.Neg(&k.Alpha) }},
		{"β of the key negated", func(k *verifier.VerifyingKey) { k.Beta.Neg(&k.Beta) }},
		{"γ of the key negated", func(k *verifier.VerifyingKey) { k.Gamma.Neg(&k.Gamma) }},
		{"δ of the key negated", func(k *verifier.VerifyingKey) { k.Delta.Neg(&k.Delta) }},
		{"first K of the key doubled", func(k *verifier.VerifyingKey) { k.K[0].Double(&k.K[0]) }},
		// The last challenge may stand in no constraint: its point is at infinity then, and no multiple of it another.
		{"last K of the key moved", func(k *verifier.VerifyingKey) { last := &k.K[len(k.K)-1]; last.Add(last, &k.Alpha) }},
		{"σ of the trace negated", func(k *verifier.VerifyingKey) { negate2(&k.Commitments[0].GSigmaNeg) }},
		{"σ of the parameters negated", func(k *verifier.VerifyingKey) { negate2(&k.Commitments[1].GSigmaNeg) }},
		{"H of the parameters doubled", func(k *verifier.VerifyingKey) { h := &k.Commitments[1].H; h.Double(h) }},
		{"name in the key changed", func(k *verifier.VerifyingKey) { k.Description.Name += "!" }},
		{"architecture in the key changed", func(k *verifier.VerifyingKey) { k.Architecture[0] ^= 1 }},
		{"base of the fold doubled", func(k *verifier.VerifyingKey) { f := &k.Commitments[1].Base; f.Double(f) }},
	} {
		if c.name == "base of the fold doubled" && !g.folds() {
			continue
		}
		key := g.otherKey(c.edit)
		g.with(c.name, g.keyBytes(key), nil, g.proofFile, "key_mismatch")
		commitment, proof := g.fitted(key)
		g.with(c.name+", the rest fitted to it", g.keyBytes(key), commitment, proof, "rejected")
	}
}

// folds reports whether the key has tensors that are bound by their fold.
func (g *generator) folds() bool {
	folds := false
	g.otherKey(func(k *verifier.VerifyingKey) { folds = !k.Commitments[1].Base.IsInfinity() })
	return folds
}

func negate2(p *bn254.G2Affine) { p.Neg(p) }

// keyWith is the key's file with other bytes at a place of its contents.
func (g *generator) keyWith(at int, field ...byte) []byte {
	out := g.keyPayload()
	copy(out[at:], field)
	return envelope.Encode(artifact.KindVerifyingKey, 1, out)
}

func (g *generator) keyPayload() []byte {
	g.t.Helper()
	_, payload, err := envelope.Decode(g.keyFile, artifact.KindVerifyingKey)
	if err != nil {
		g.t.Fatal(err)
	}
	return bytes.Clone(payload)
}

// brokenKeys are no keys. α stands at a place of their contents, β after it.
func (g *generator) brokenKeys(alpha int) {
	payload := g.keyPayload()
	framed := func(b []byte) []byte { return envelope.Encode(artifact.KindVerifyingKey, 1, b) }
	flipped := bytes.Clone(g.keyFile)
	flipped[len(flipped)-1] ^= 1
	g.with("empty key", []byte{}, nil, g.proofFile, "malformed_key")
	g.with("a proof instead of the key", g.proofFile, nil, g.proofFile, "wrong_kind")
	g.with("key of another version", envelope.Encode(artifact.KindVerifyingKey, 2, payload), nil, g.proofFile, "unsupported_version")
	g.with("key altered, not its digest", flipped, nil, g.proofFile, "malformed_key")
	g.with("key truncated", framed(payload[:len(payload)-1]), nil, g.proofFile, "malformed_key")
	g.with("key extended", framed(append(bytes.Clone(payload), 0)), nil, g.proofFile, "malformed_key")
	g.with("key with another tag", g.keyWith(4, 'Z'), nil, g.proofFile, "malformed_key")
	g.with("key with α at infinity", g.keyWith(alpha, append([]byte{0x40}, make([]byte, 63)...)...), nil, g.proofFile, "malformed_key")
	g.with("key with α off the curve", g.keyWith(alpha+63, payload[alpha+63]^1), nil, g.proofFile, "malformed_key")
	g.with("key with β off the curve", g.keyWith(alpha+64+127, payload[alpha+64+127]^1), nil, g.proofFile, "malformed_key")
}

// otherKey is the key after a change.
func (g *generator) otherKey(edit func(*verifier.VerifyingKey)) *verifier.VerifyingKey {
	g.t.Helper()
	decoded, err := artifact.DecodeVerifyingKey(g.keyFile)
	if err != nil {
		g.t.Fatal(err)
	}
	key := decoded.(*verifier.VerifyingKey)
	edit(key)
	return key
}

func (g *generator) keyBytes(key *verifier.VerifyingKey) []byte {
	g.t.Helper()
	payload, err := key.MarshalBinary()
	if err != nil {
		g.t.Fatal(err)
	}
	return envelope.Encode(artifact.KindVerifyingKey, 1, payload)
}

// fitted are the model commitment and the proof with the digest of another key, as a forger would
// hand them out.
func (g *generator) fitted(key *verifier.VerifyingKey) (commitment, proof []byte) {
	digest := key.Digest()
	commitment = g.commitmentFileOf(func(m map[string]any) { m["key"] = digest[:] })
	return commitment, g.edited(func(b *verifier.Bundle) { b.VKDigest = digest })
}

// commitmentFileOf is the model commitment's file with its fields changed.
func (g *generator) commitmentFileOf(edit func(map[string]any)) []byte {
	g.t.Helper()
	_, payload, err := envelope.Decode(g.commitmentFile, artifact.KindModelCommitment)
	if err != nil {
		g.t.Fatal(err)
	}
	m := map[string]any{}
	if err := envelope.Unmarshal(payload, &m); err != nil {
		g.t.Fatal(err)
	}
	edit(m)
	if payload, err = envelope.Marshal(m); err != nil {
		g.t.Fatal(err)
	}
	return envelope.Encode(artifact.KindModelCommitment, 1, payload)
}

// commitments are damaged model commitments, and those of other models.
func (g *generator) commitments() {
	for _, c := range []struct {
		name  string
		edit  func(map[string]any)
		class string
	}{
		{"commitment for another key", func(m map[string]any) { m["key"] = make([]byte, 32) }, "key_mismatch"},
		{"commitment with a short key digest", func(m map[string]any) { m["key"] = make([]byte, 31) }, "malformed_key"},
		{"commitment with an unknown field", func(m map[string]any) { m["more"] = 1 }, "malformed_key"},
		{"commitment without points", func(m map[string]any) { m["commitment"] = []byte{} }, "malformed_key"},
		{"commitment with scale 0", func(m map[string]any) { m["outputs"] = meaning(0) }, "malformed_key"},
		{"commitment with scale NaN", func(m map[string]any) { m["inputs"] = meaning(math.NaN()) }, "malformed_key"},
		{"commitment with an infinite pixel scale", func(m map[string]any) { m["pixel_scale"] = []float64{math.Inf(1)} }, "malformed_key"},
		{"commitment that describes no inputs", func(m map[string]any) { m["inputs"] = []any{} }, "key_mismatch"},
		{"commitment with text for points", func(m map[string]any) { m["commitment"] = "points" }, "malformed_key"},
	} {
		g.with(c.name, nil, g.commitmentFileOf(c.edit), g.proofFile, c.class)
	}
	g.with("empty commitment", nil, []byte{}, g.proofFile, "malformed_key")
	g.with("a key instead of the commitment", nil, g.keyFile, g.proofFile, "wrong_kind")
	flipped := bytes.Clone(g.commitmentFile)
	flipped[len(flipped)-1] ^= 1
	g.with("commitment altered, not its digest", nil, flipped, g.proofFile, "malformed_key")
	g.otherModels()
}

func meaning(scale float64) []any { return []any{map[string]any{"scale": scale, "zero": 0}} }

// otherModels are commitments to other weights: with the proof as made, and with a proof that names
// them.
func (g *generator) otherModels() {
	if g.class != nil {
		g.otherArchitectures()
	}
	for i, edit := range []func(rows []bn254.G1Affine) []bn254.G1Affine{
		func(rows []bn254.G1Affine) []bn254.G1Affine { rows[0].Double(&rows[0]); return rows },
		func(rows []bn254.G1Affine) []bn254.G1Affine { rows[len(rows)-1] = bn254.G1Affine{}; return rows },
		func(rows []bn254.G1Affine) []bn254.G1Affine { return append(rows, rows[0]) },
	} {
		name := []string{"a row of the model doubled", "a row of the model at infinity", "a row of the model too many"}[i]
		declared := []string{"rejected", "rejected", "key_mismatch"}[i]
		if c, ok := g.model.Commitment.(*wrapped.Commitment); ok {
			other := *c
			other.Rows = edit(slices.Clone(c.Rows))
			// Their number is the architecture's.
			declared = []string{"rejected", "rejected", "malformed_key"}[i]
			g.otherModel(name, &other, declared)
			continue
		}
		g.otherModel(name, &verifier.ModelCommitment{Rows: edit(slices.Clone(g.model.Commitment.(*verifier.ModelCommitment).Rows))}, declared)
	}
}

func (g *generator) otherModel(name string, m verifier.Commitment, declared string) {
	g.t.Helper()
	encoded, err := m.MarshalBinary()
	if err != nil {
		g.t.Fatal(err)
	}
	file := g.commitmentFileOf(func(f map[string]any) { f["commitment"] = encoded })
	mismatch := "key_mismatch"
	if declared == "malformed_key" {
		mismatch = declared
	}
	g.with(name, nil, file, g.proofFile, mismatch)
	named := g.edited(func(b *verifier.Bundle) { b.Model = m.Digest() })
	g.with(fmt.Sprintf("%s, named by the proof", name), nil, file, named, declared)
}
