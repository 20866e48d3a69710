package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
)

// keysReport is inspect's JSON for a key folder: the manifest, and the model commitment if there is one.
type keysReport struct {
	Kind string `json:"kind"`
	prover.Manifest
	ModelCommitment string      `json:"model_commitment,omitempty"`
	ArchitectureOf  *comparison `json:"architecture_of,omitempty"`
}

func inspectKeys(ctx context.Context, u *ui, dir string, expected *reference) (*keysReport, error) {
	keys, m, err := openKeys(u, dir)
	if err != nil {
		return nil, err
	}
	r := &keysReport{Kind: "keys", Manifest: *m}
	var commitment verifier.Commitment
	c, err := artifact.ReadModelCommitment(filepath.Join(dir, prover.ModelFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		commitment = c.Commitment
		digest := commitment.Digest()
		r.ModelCommitment = hex.EncodeToString(digest[:])
	}
	r.ArchitectureOf, err = expected.keys(ctx, keys, commitment)
	return r, err
}

func (r *keysReport) print(w io.Writer) {
	commitment := r.ModelCommitment
	if commitment == "" {
		commitment = "none yet: zkinfer commit makes it"
	}
	pairs := []string{
		"keys for", r.Model,
		"backend", fmt.Sprintf("%s on %s, %s", r.Backend, r.Curve, r.Version),
		"setup", setupText(r.TrustedSetup, r.Ceremony),
		"constraints", grouped(r.Constraints),
		"public inputs", grouped(r.PublicInputs),
	}
	if r.Architecture == "" { // a model commitment says what these say
		pairs[1] += ", whatever model fits it"
	} else {
		pairs = append(pairs, "input", publicity(r.PrivateInput), "output", publicity(r.PrivateOutput), "architecture", r.Architecture)
	}
	fields(w, append(pairs,
		"verifying key", r.VerifyingKey,
		"proving key", byteSize(r.Files[prover.ProvingKeyFile].Bytes),
		"circuit", byteSize(r.Files[prover.CircuitFile].Bytes),
		"model commitment", commitment,
	)...)
	printComparison(w, r.ArchitectureOf)
}

func printComparison(w io.Writer, c *comparison) {
	if c != nil {
		fields(w, "architecture", c.String())
	}
}

// setupText is a kind of setup, and for a ceremony its transcript, for people.
func setupText(kind, ceremony string) string {
	if ceremony == "" {
		return kind
	}
	return kind + " " + ceremony
}

func publicity(private bool) string {
	if private {
		return "private"
	}
	return "public"
}

// verifyingKeyReport is inspect's JSON for a verifying key.
type verifyingKeyReport struct {
	Kind         string `json:"kind"`
	Backend      string `json:"backend"`
	VerifyingKey string `json:"verifying_key"` // digest, hex
	Model        string `json:"model"`         // name
	Architecture string `json:"architecture,omitempty"`
	Rounding     string `json:"rounding"`
	TrustedSetup string `json:"trusted_setup"`
	Ceremony     string `json:"ceremony,omitempty"` // digest of the transcript
	Version      string `json:"version"`
	Constraints  uint64 `json:"constraints"`
	SizeClass    int    `json:"size_class,omitempty"`

	ArchitectureOf *comparison `json:"architecture_of,omitempty"`
	// What follows is there if the key alone says it.
	FoldRows    int          `json:"fold_rows,omitempty"`   // points of a model commitment
	Commitments int          `json:"commitments,omitempty"` // in a proof
	ProofBytes  int          `json:"proof_bytes,omitempty"`
	Inputs      []specReport `json:"inputs,omitempty"`
	Outputs     []specReport `json:"outputs,omitempty"`
}

type specReport struct {
	Name    string `json:"name"`
	Shape   []int  `json:"shape"`
	Type    string `json:"type"`
	Min     int64  `json:"min"`
	Max     int64  `json:"max"`
	Binding string `json:"binding"`
}

func inspectVerifyingKey(path string, expected *reference) (*verifyingKeyReport, error) {
	vk, err := artifact.ReadVerifyingKey(path)
	if err != nil {
		return nil, err
	}
	digest, d := vk.Digest(), vk.Describe()
	setup, ceremony := prover.SplitSetup(d.TrustedSetup)
	r := &verifyingKeyReport{
		Kind: "verifying_key", Backend: vk.Backend(), VerifyingKey: hex.EncodeToString(digest[:]), Model: d.Name, Rounding: d.Rounding,
		TrustedSetup: setup, Ceremony: ceremony, Version: d.LibraryVersion, Constraints: d.Constraints,
		SizeClass: sizeClass(vk),
	}
	if about := vk.Fixed(); about != nil {
		r.Architecture, r.ProofBytes = hex.EncodeToString(about.Architecture[:]), about.ProofSize
		r.Inputs, r.Outputs = specReports(about.Inputs), specReports(about.Outputs)
	}
	if k, ok := vk.(*verifier.VerifyingKey); ok {
		r.FoldRows, r.Commitments = k.FoldRows, len(k.Commitments)
	}
	r.ArchitectureOf, err = expected.key(vk)
	return r, err
}

// subject is what the key is for, for people.
func (r *verifyingKeyReport) subject() string {
	if r.Architecture == "" {
		return r.Model + ", whatever model fits it"
	}
	return fmt.Sprintf("%s, rounding %s, architecture %s", r.Model, r.Rounding, r.Architecture)
}

func specReports(specs []verifier.TensorSpec) []specReport {
	bindings := map[verifier.Binding]string{
		verifier.BindingPacked: "public", verifier.BindingFolded: "public", verifier.BindingCommitted: "private",
	}
	out := make([]specReport, len(specs))
	for i, s := range specs {
		out[i] = specReport{Name: s.Name, Shape: s.Shape, Type: s.Type, Min: s.Min, Max: s.Max, Binding: bindings[s.Binding]}
	}
	return out
}

func (r *verifyingKeyReport) print(w io.Writer) {
	fields(w,
		"verifying key", r.VerifyingKey,
		"backend", r.Backend,
		"for", r.subject(),
		"setup", fmt.Sprintf("%s, by %s", setupText(r.TrustedSetup, r.Ceremony), r.Version),
		"constraints", grouped(r.Constraints),
	)
	if r.Commitments > 0 {
		fields(w, "proof", fmt.Sprintf("%d bytes, %d commitments; model commitments of %d points", r.ProofBytes, r.Commitments, r.FoldRows))
	}
	printSpecs(w, r.Inputs, r.Outputs)
	printComparison(w, r.ArchitectureOf)
}

func printSpecs(w io.Writer, inputs, outputs []specReport) {
	for i, t := range slices.Concat(inputs, outputs) {
		side := "input"
		if i >= len(inputs) {
			side = "output"
		}
		fmt.Fprintf(w, "%s %q %s%v in [%d, %d], %s\n", side, t.Name, t.Type, t.Shape, t.Min, t.Max, t.Binding)
	}
}

// commitmentReport is inspect's JSON for a model commitment.
type commitmentReport struct {
	Kind            string `json:"kind"`
	Backend         string `json:"backend"`
	ModelCommitment string `json:"model_commitment"` // digest, hex
	VerifyingKey    string `json:"verifying_key"`
	Rows            int    `json:"rows"`
	Public          bool   `json:"public"`
	// What follows is there if the commitment says it, and otherwise the key does.
	Model        string       `json:"model,omitempty"` // name
	Rounding     string       `json:"rounding,omitempty"`
	Architecture string       `json:"architecture,omitempty"`
	ProofBytes   int          `json:"proof_bytes,omitempty"`
	InputSpecs   []specReport `json:"input_specs,omitempty"`
	OutputSpecs  []specReport `json:"output_specs,omitempty"`

	ArchitectureOf *comparison `json:"architecture_of,omitempty"`

	Inputs     []meaningReport `json:"inputs"`
	Outputs    []meaningReport `json:"outputs"`
	PixelScale []float64       `json:"pixel_scale,omitempty"`
	PixelMean  []float64       `json:"pixel_mean,omitempty"`
}

// meaningReport says which real number an integer q stands for: scale·(q − zero).
type meaningReport struct {
	Scale float64 `json:"scale"`
	Zero  int64   `json:"zero"`
}

func inspectModelCommitment(path string, expected *reference) (*commitmentReport, error) {
	m, err := artifact.ReadModelCommitment(path)
	if err != nil {
		return nil, err
	}
	digest := m.Commitment.Digest()
	r := &commitmentReport{
		Kind: "model_commitment", Backend: m.Commitment.Backend(), ModelCommitment: hex.EncodeToString(digest[:]), VerifyingKey: hex.EncodeToString(m.Key[:]),
		Rows: m.Commitment.Points(), Public: m.Public, Inputs: meaningReports(m.Inputs), Outputs: meaningReports(m.Outputs),
		PixelScale: m.PixelScale, PixelMean: m.PixelMean,
	}
	if c, ok := m.Commitment.(interface{ Subject() *verifier.Subject }); ok {
		about := c.Subject()
		r.Model, r.Rounding, r.ProofBytes = about.Name, about.Rounding, about.ProofSize
		r.Architecture = hex.EncodeToString(about.Architecture[:])
		r.InputSpecs, r.OutputSpecs = specReports(about.Inputs), specReports(about.Outputs)
	}
	r.ArchitectureOf, err = expected.commitment(m.Commitment)
	return r, err
}

func meaningReports(meanings []artifact.Meaning) []meaningReport {
	out := make([]meaningReport, len(meanings))
	for i, m := range meanings {
		out[i] = meaningReport(m)
	}
	return out
}

func (r *commitmentReport) print(w io.Writer) {
	hides := "private: it reveals nothing about the weights"
	if r.Public {
		hides = "public: whoever has the weights can recompute it"
	}
	fields(w, "model commitment", r.ModelCommitment, "backend", r.Backend, "for verifying key", r.VerifyingKey, "points", grouped(r.Rows), "weights", hides)
	if r.Architecture == "" {
		return
	}
	fields(w, "model", fmt.Sprintf("%s, rounding %s, architecture %s", r.Model, r.Rounding, r.Architecture), "proofs", byteSize(r.ProofBytes))
	printSpecs(w, r.InputSpecs, r.OutputSpecs)
	printComparison(w, r.ArchitectureOf)
}

// proofReport is inspect's JSON for a proof, which is not verified.
type proofReport struct {
	Kind            string          `json:"kind"`
	Backend         string          `json:"backend"`
	ProofBytes      int             `json:"proof_bytes"`
	VerifyingKey    string          `json:"verifying_key"`
	ModelCommitment string          `json:"model_commitment"`
	Context         string          `json:"context"`
	Inputs          []claimedTensor `json:"inputs"`
	Outputs         []claimedTensor `json:"outputs"`
}

// claimedTensor is what a proof file says of a tensor: its integers, or the commitment to them.
type claimedTensor struct {
	Ints       []int64 `json:"ints,omitempty"`
	Commitment string  `json:"commitment,omitempty"`
}

func inspectProof(path string) (*proofReport, error) {
	b, err := artifact.ReadProof(path)
	if err != nil {
		return nil, err
	}
	st := &b.Statement
	return &proofReport{
		Kind: "proof", Backend: b.Backend, ProofBytes: len(b.Proof), VerifyingKey: hex.EncodeToString(b.VKDigest[:]),
		ModelCommitment: hex.EncodeToString(b.Model[:]), Context: "0x" + hex.EncodeToString(st.Context),
		Inputs: claimedTensors(st.Inputs), Outputs: claimedTensors(st.Outputs),
	}, nil
}

func claimedTensors(values []verifier.TensorValue) []claimedTensor {
	out := make([]claimedTensor, len(values))
	for i, v := range values {
		out[i].Ints = v.Values
		out[i].Commitment = hex.EncodeToString(v.CommitmentBytes())
	}
	return out
}

func (r *proofReport) print(w io.Writer) {
	fields(w,
		"proof, not verified", fmt.Sprintf("%d bytes, %s", r.ProofBytes, r.Backend),
		"for verifying key", r.VerifyingKey,
		"model commitment", r.ModelCommitment,
		"context", r.Context,
	)
	for i, t := range r.Inputs {
		fmt.Fprintf(w, "input %d: %s\n", i, t)
	}
	for i, t := range r.Outputs {
		fmt.Fprintf(w, "output %d: %s\n", i, t)
	}
}

// String is the tensor for people, cut where it is long.
func (t claimedTensor) String() string {
	switch n := len(t.Ints); {
	case t.Commitment != "":
		return "private, commitment " + t.Commitment
	case n > maxPrinted:
		return fmt.Sprintf("%d … (%s values)", t.Ints[:maxPrinted], grouped(n))
	}
	return fmt.Sprint(t.Ints)
}

// secretReport is inspect's JSON for a prover's secrets: that it is one, and no more.
type secretReport struct {
	Kind string `json:"kind"`
}

func inspectSecret(path string) (*secretReport, error) {
	_, _, err := envelope.ReadFile(path, prover.KindSecret, prover.MaxSecret)
	return &secretReport{"model_secret"}, err
}

func (*secretReport) print(w io.Writer) {
	fmt.Fprintln(w, "secret salts of a model commitment; this file must stay with the prover")
}
