package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/spf13/cobra"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/artifact"
)

type proveFlags struct {
	input   inputFlags
	keys    string
	context string
	opening string
	out     output
}

// openingFile is what --opening writes: what opens the commitments of a proof's private tensors.
// It is secret.
type openingFile struct {
	Statement string        `json:"statement"`
	Inputs    []openingSalt `json:"inputs"`
	Outputs   []openingSalt `json:"outputs"`
}

// openingSalt has a salt of 32 bytes for each point of the commitment.
type openingSalt struct {
	Name       string  `json:"name"`
	Commitment string  `json:"commitment"`
	Salt       string  `json:"salt"`
	Values     []int64 `json:"values"`
}

// proveReport is what --json prints.
type proveReport struct {
	Backend         string         `json:"backend"`
	Proof           string         `json:"proof"`
	ProofBytes      int            `json:"proof_bytes"`
	Statement       string         `json:"statement"` // digest S
	ModelCommitment string         `json:"model_commitment"`
	Context         string         `json:"context"`
	Outputs         []outputReport `json:"outputs"`
	Argmax          int            `json:"argmax"`
	Seconds         proveSeconds   `json:"seconds"`
	CPUSeconds      float64        `json:"cpu_seconds"`
	PeakMemoryBytes int64          `json:"peak_memory_bytes"`
	Constraints     int            `json:"constraints"`
}

// proveSeconds are wall-clock times. Solve is filling the witness; what gnark solves is in Prove.
type proveSeconds struct {
	Load    float64 `json:"load"`
	Execute float64 `json:"execute"`
	Solve   float64 `json:"solve"`
	Prove   float64 `json:"prove"`
	Verify  float64 `json:"verify"`
	Total   float64 `json:"total"`
}

func newProve(u *ui) *cobra.Command {
	var f proveFlags
	c := &cobra.Command{
		Use:   "prove MODEL.zkm --keys KEYS --input FILE -o PROOF.zkp",
		Short: "Run a model on an input and prove the result",
		Long: `Run a model on an input and prove the result, with the keys and the model commitment in KEYS.

The proof is made for a context, bytes in hexadecimal chosen by whoever asks for it (a nonce, a task number): it does
not verify in another. It is checked before it is written.`,
		Args: cobra.ExactArgs(1),
		RunE: u.command(func(ctx context.Context, args []string) error { return f.run(ctx, u, args[0]) }),
	}
	f.input.flags(c.Flags())
	c.Flags().StringVar(&f.keys, "keys", "", "key folder, with a model commitment")
	c.Flags().StringVar(&f.context, "context", "", "bytes the proof is made for, in hexadecimal (0x…)")
	c.Flags().StringVar(&f.opening, "opening", "", "write what opens the commitments of private tensors to this file, which is secret")
	f.out.flags(c.Flags(), "out", "o", "proof file to write (.zkp)")
	return c
}

func (f *proveFlags) run(ctx context.Context, u *ui, path string) error {
	switch {
	case f.keys == "":
		return usagef("--keys is missing: name the folder that zkinfer setup wrote")
	case f.out.path == "":
		return usagef("-o is missing: name the proof file to write")
	}
	task, err := parseContext(f.context)
	if err != nil {
		return err
	}
	if err := f.out.check(); err != nil {
		return err
	}
	if f.opening != "" {
		if err := (&output{path: f.opening, force: f.out.force}).check(); err != nil {
			return err
		}
	}
	start := time.Now()
	g, err := readModel(path)
	if err != nil {
		return err
	}
	set, err := f.input.open(u, tensors(g, g.Inputs), g.Source)
	if err != nil {
		return err
	}
	inputs, err := quantizedSample(set, f.input.index, tensors(g, g.Inputs))
	if err != nil {
		return err
	}
	keys, _, err := openKeys(u, f.keys)
	if err != nil {
		return err
	}
	opening, err := prover.OpenOpening(f.keys)
	if err != nil {
		return err
	}
	loaded := time.Now()
	var p *prover.Proved
	if err := u.step("proving", func() (err error) { p, err = keys.Prove(ctx, g, opening, inputs, task); return err }); err != nil {
		return err
	}
	about, err := keys.VerifyingKey().Subject(opening.Commitment)
	if err != nil {
		return err
	}
	s, err := verifier.StatementDigest(keys.VerifyingKey(), opening.Commitment, &p.Bundle.Statement)
	if err != nil {
		return err
	}
	st := p.Stats
	digest := s.Bytes()
	if err := f.writeOpening(about, p, inputs, hex.EncodeToString(digest[:])); err != nil {
		return err
	}
	if err := artifact.WriteProof(f.out.path, f.out.force, p.Bundle); err != nil {
		return err
	}
	r := &proveReport{
		Backend: p.Bundle.Backend, Proof: f.out.path, ProofBytes: len(p.Bundle.Proof), Statement: hex.EncodeToString(digest[:]),
		ModelCommitment: hex.EncodeToString(p.Bundle.Model[:]), Context: "0x" + hex.EncodeToString(task),
		Outputs: outputReports(tensors(g, g.Outputs), p.Outputs), Argmax: argmax(g, p.Outputs),
		Seconds: proveSeconds{loaded.Sub(start).Seconds(), st.Execute.Seconds(), st.Assign.Seconds(), st.Prove.Seconds(),
			st.Verify.Seconds(), time.Since(start).Seconds()},
		CPUSeconds: cpuSeconds(), PeakMemoryBytes: peakMemory(), Constraints: st.Constraints,
	}
	return u.report(r, func(w io.Writer) { r.print(w) })
}

// writeOpening writes the salts and values of private tensors, readable by the owner alone.
func (f *proveFlags) writeOpening(about *verifier.Subject, p *prover.Proved, inputs [][]int64, statement string) error {
	if f.opening == "" {
		return nil
	}
	o := openingFile{Statement: statement,
		Inputs:  openings(about.Inputs, p.Bundle.Statement.Inputs, inputs, p.InputSalts),
		Outputs: openings(about.Outputs, p.Bundle.Statement.Outputs, p.Outputs, p.OutputSalts)}
	return envelope.WriteSecretFile(f.opening, f.out.force, func(w io.Writer) error { return json.NewEncoder(w).Encode(o) })
}

func openings(specs []verifier.TensorSpec, stated []verifier.TensorValue, values [][]int64, salts [][]fr.Element) []openingSalt {
	out := []openingSalt{}
	for i, v := range stated {
		if v.Commitment != nil {
			var salt []byte
			for _, s := range salts[i] {
				salt = append(salt, s.Marshal()...)
			}
			out = append(out, openingSalt{specs[i].Name, hex.EncodeToString(v.CommitmentBytes()), hex.EncodeToString(salt), values[i]})
		}
	}
	return out
}

// parseContext reads bytes in hexadecimal, with or without 0x.
func parseContext(s string) ([]byte, error) {
	b, err := hex.DecodeString(strings.TrimPrefix(strings.TrimPrefix(s, "0x"), "0X"))
	if err != nil {
		return nil, usagef("--context %q: expected bytes in hexadecimal, such as 0x01ff", s)
	}
	return b, nil
}

func (r *proveReport) print(w io.Writer) {
	printOutputs(w, r.Outputs)
	fmt.Fprintf(w, "argmax %d\n\n", r.Argmax)
	fields(w,
		"proof", fmt.Sprintf("%s, %s (%s)", r.Proof, byteSize(r.ProofBytes), r.Backend),
		"statement", r.Statement,
		"model commitment", r.ModelCommitment,
		"context", r.Context,
		"took", fmt.Sprintf("%s: load %s, execute %s, prove %s, check %s", seconds(r.Seconds.Total), seconds(r.Seconds.Load),
			seconds(r.Seconds.Execute), seconds(r.Seconds.Prove), seconds(r.Seconds.Verify)),
	)
}
