package session

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"strings"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
)

// Failure is an error in JSON. Class is one of a fixed set of words, for programs.
type Failure struct {
	Class   string `json:"class"`
	Message string `json:"message"`
}

// Report is the answer to a proof, in the words of zkinfer verify --json. Unless Valid, Error is the
// only other field that is set: what a rejected proof claims is nobody's business.
type Report struct {
	Valid           bool     `json:"valid"`
	Error           *Failure `json:"error,omitempty"`
	Inputs          []Tensor `json:"inputs,omitempty"`
	Outputs         []Tensor `json:"outputs,omitempty"`
	ModelCommitment string   `json:"model_commitment,omitempty"`
	VerifyingKey    string   `json:"verifying_key,omitempty"`
	Context         string   `json:"context,omitempty"` // 0x and hexadecimal
	Statement       string   `json:"statement,omitempty"`
	TrustedSetup    string   `json:"trusted_setup,omitempty"`
	Ceremony        string   `json:"ceremony,omitempty"` // digest of the transcript that the key came from
}

// Tensor is a proved input or output: its integers, or the commitment to them where it is private.
type Tensor struct {
	Name       string  `json:"name"`
	Shape      []int   `json:"shape"`
	Ints       []int64 `json:"ints,omitempty"`
	Values     []Real  `json:"values,omitempty"` // what the integers stand for; of outputs only
	Commitment string  `json:"commitment,omitempty"`
}

// Real is a float64 that JSON can hold: infinities and NaN become null.
type Real float64

// MarshalJSON implements json.Marshaler.
func (r Real) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(r)) || math.IsInf(float64(r), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(r))
}

// Refusal is the report of an error that Open or Check returned.
func Refusal(err error) *Report {
	return &Report{Error: &Failure{Class: Class(err), Message: err.Error()}}
}

// report shows a bundle that was verified.
func (s *Session) report(b *verifier.Bundle) (*Report, error) {
	digest, err := verifier.StatementDigest(s.key, s.model.Commitment, &b.Statement)
	if err != nil {
		return nil, err
	}
	d := digest.Bytes()
	r := &Report{
		Valid: true, ModelCommitment: s.info.ModelCommitment, VerifyingKey: s.info.VerifyingKey,
		Context: "0x" + hex.EncodeToString(b.Statement.Context), Statement: hex.EncodeToString(d[:]),
		TrustedSetup: s.info.TrustedSetup, Ceremony: s.info.Ceremony,
		Inputs: tensors(s.about.Inputs, b.Statement.Inputs), Outputs: tensors(s.about.Outputs, b.Statement.Outputs),
	}
	for i := range r.Outputs {
		r.Outputs[i].Values = realValues(s.model.Outputs[i], r.Outputs[i].Ints)
	}
	return r, nil
}

func tensors(specs []verifier.TensorSpec, values []verifier.TensorValue) []Tensor {
	out := make([]Tensor, len(specs))
	for i, spec := range specs {
		out[i] = Tensor{Name: spec.Name, Shape: spec.Shape, Ints: values[i].Values}
		out[i].Commitment = hex.EncodeToString(values[i].CommitmentBytes())
	}
	return out
}

func realValues(m artifact.Meaning, integers []int64) []Real {
	out := make([]Real, len(integers))
	for i, v := range integers {
		out[i] = Real(m.Scale * float64(v-m.Zero))
	}
	return out
}

// Info describes a key and its model commitment.
type Info struct {
	Backend         string    `json:"backend"`          // the proof system
	VerifyingKey    string    `json:"verifying_key"`    // digest, hexadecimal
	ModelCommitment string    `json:"model_commitment"` // digest, hexadecimal
	Model           string    `json:"model"`            // name
	Architecture    string    `json:"architecture"`
	Rounding        string    `json:"rounding"`
	TrustedSetup    string    `json:"trusted_setup"`
	Ceremony        string    `json:"ceremony,omitempty"`
	Version         string    `json:"version"`
	Constraints     uint64    `json:"constraints"`
	ProofBytes      int       `json:"proof_bytes"`
	Public          bool      `json:"public"` // whoever has the weights can recompute the commitment
	Inputs          []Spec    `json:"inputs"`
	Outputs         []Spec    `json:"outputs"`
	PixelScale      []float64 `json:"pixel_scale,omitempty"` // of image inputs: real = pixel·scale − mean
	PixelMean       []float64 `json:"pixel_mean,omitempty"`
}

// Spec describes a tensor: integers q in [Min, Max] that stand for Scale·(q − Zero).
type Spec struct {
	Name    string  `json:"name"`
	Shape   []int   `json:"shape"`
	Type    string  `json:"type"`
	Min     int64   `json:"min"`
	Max     int64   `json:"max"`
	Private bool    `json:"private"`
	Scale   float64 `json:"scale"`
	Zero    int64   `json:"zero"`
}

func newInfo(vk verifier.Key, m *artifact.ModelCommitment, about *verifier.Subject) *Info {
	key, commitment, d := vk.Digest(), m.Commitment.Digest(), vk.Describe()
	// A ceremony's key names the transcript behind its kind of setup.
	setup, ceremony, _ := strings.Cut(d.TrustedSetup, ":")
	return &Info{
		Backend: vk.Backend(), VerifyingKey: hex.EncodeToString(key[:]), ModelCommitment: hex.EncodeToString(commitment[:]), Model: about.Name,
		Architecture: hex.EncodeToString(about.Architecture[:]), Rounding: about.Rounding, TrustedSetup: setup, Ceremony: ceremony,
		Version: d.LibraryVersion, Constraints: d.Constraints, ProofBytes: about.ProofSize, Public: m.Public,
		Inputs: specs(about.Inputs, m.Inputs), Outputs: specs(about.Outputs, m.Outputs),
		PixelScale: m.PixelScale, PixelMean: m.PixelMean,
	}
}

func specs(tensors []verifier.TensorSpec, meanings []artifact.Meaning) []Spec {
	out := make([]Spec, len(tensors))
	for i, t := range tensors {
		out[i] = Spec{Name: t.Name, Shape: t.Shape, Type: t.Type, Min: t.Min, Max: t.Max,
			Private: t.Binding == verifier.BindingCommitted, Scale: meanings[i].Scale, Zero: meanings[i].Zero}
	}
	return out
}
