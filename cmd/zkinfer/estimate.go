package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkinfer/zkinfer/bench/estimate"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/backends"
)

// estimateReport is what a proof will take. CPU times are 0 where the system does not tell them.
type estimateReport struct {
	Backend           string                `json:"backend"`
	Constraints       int                   `json:"constraints"`
	DomainSize        int                   `json:"domain_size"`
	ProveSeconds      float64               `json:"prove_seconds"`
	ProveCPUSeconds   float64               `json:"prove_cpu_seconds"`
	SetupSeconds      float64               `json:"setup_seconds"`
	SetupCPUSeconds   float64               `json:"setup_cpu_seconds"`
	MemoryBytes       int64                 `json:"memory_bytes"`
	ProvingKeyBytes   int64                 `json:"proving_key_bytes"`
	VerifyingKeyBytes int64                 `json:"verifying_key_bytes"`
	ProofBytes        int                   `json:"proof_bytes"`
	Verify            estimate.Verification `json:"verify"`
	Replicated        *estimate.Replicated  `json:"replicated,omitempty"`
	Machine           *estimate.Rates       `json:"machine,omitempty"` // what was probed; absent where a usual machine stands in
	Others            []*estimateReport     `json:"others,omitempty"`  // of zkinfer estimate alone: what other proof systems take
}

// newEstimate is what a plan says, beside the model run by everybody. rates are those of the machine, nil where a usual one stands
// in.
func newEstimate(backend string, plan *prover.Plan, replicated *estimate.Replicated, rates *estimate.Rates) *estimateReport {
	p := &plan.Proof
	return &estimateReport{
		Backend: backend, Constraints: p.Constraints, DomainSize: p.DomainSize,
		ProveSeconds: p.Prove.Wall, ProveCPUSeconds: p.Prove.CPU, SetupSeconds: p.Setup.Wall, SetupCPUSeconds: p.Setup.CPU,
		MemoryBytes: p.Memory, ProvingKeyBytes: p.ProvingKeyBytes, VerifyingKeyBytes: p.VerifyingKeyBytes, ProofBytes: p.ProofBytes,
		Verify: plan.Verification, Replicated: replicated, Machine: rates,
	}
}

// newEstimates leaves out proof systems that have no proof.
func newEstimates(offers []backends.Offer) (out []*estimateReport) {
	for _, x := range offers {
		if x.Err == nil {
			out = append(out, newEstimate(x.Backend.Name(), x.Plan, nil, nil))
		}
	}
	return out
}

// refusal is why a proof system has no proof of a model.
type refusal struct {
	Backend string `json:"backend"`
	Message string `json:"message"`
}

func newRefusals(offers []backends.Offer) (out []refusal) {
	for _, x := range offers {
		if x.Err != nil {
			out = append(out, refusal{x.Backend.Name(), x.Err.Error()})
		}
	}
	return out
}

// printEstimates has a line for each proof system.
func printEstimates(w io.Writer, list []*estimateReport) {
	rows := [][]string{{"backend", "constraints", "proof in", "processor time", "memory", "proof", "proving key", "setup", "verified in"}}
	for _, e := range list {
		rows = append(rows, []string{e.Backend, grouped(e.Constraints), seconds(e.ProveSeconds), seconds(e.ProveCPUSeconds), byteSize(e.MemoryBytes),
			byteSize(e.ProofBytes), byteSize(e.ProvingKeyBytes), seconds(e.SetupSeconds), seconds(e.Verify.Native.Wall)})
	}
	table(w, "lrrrrrrrr", rows...)
}

// printOnChain is what inspect says of verification beside the model run by every node.
func (e *estimateReport) printOnChain(w io.Writer) {
	v, r := e.Verify, e.Replicated
	gas := " or " + about(v.EVMGas) + " gas"
	if v.EVMGas == 0 {
		gas = ", and there is no contract for it"
	}
	fmt.Fprintf(w, "on chain: a verification takes %s canister instructions%s; if every node runs the model instead, %s instructions or %s gas (docs/onchain.md)\n",
		about(v.CanisterInstructions), gas, between(r.CanisterInstructionsLeast, r.CanisterInstructions), between(r.EVMGasLeast, r.EVMGas))
}

type estimateFlags struct {
	backend backendFlag
	circuit circuitFlags
}

func newEstimateCommand(u *ui) *cobra.Command {
	var f estimateFlags
	c := &cobra.Command{
		Use:   "estimate MODEL.zkm",
		Short: "Foretell what proving and verifying a model takes on this machine",
		Long: `Foretell what proving and verifying a model takes on this machine, without compiling anything: a probe of a few seconds
measures how fast it is, the plan of the circuit says how much there is to do. Run it when the machine is idle.

Verification is estimated natively, as a canister of the Internet Computer and as an EVM contract, beside what it costs
that every node runs the model instead.`,
		Args: cobra.ExactArgs(1),
		RunE: u.command(func(ctx context.Context, args []string) error { return f.run(ctx, u, args[0]) }),
	}
	f.backend.flags(c.Flags())
	f.circuit.flags(c.Flags())
	return c
}

func (f *estimateFlags) run(ctx context.Context, u *ui, path string) error {
	options, err := f.circuit.options()
	if err != nil {
		return err
	}
	if err := f.backend.check(); err != nil {
		return err
	}
	g, err := readModel(path)
	if err != nil {
		return err
	}
	_, chosen, err := f.backend.offers(g, options)
	if err != nil {
		return err // before the machine is probed
	}
	var rates *estimate.Rates
	if err := u.step("probing this machine", func() (err error) { rates, err = estimate.Probe(cpuSeconds); return err }); err != nil {
		return err
	}
	native, err := nativeRun(ctx, g)
	if err != nil {
		return err
	}
	offers := backends.Offers(g, options, rates)
	r := newEstimate(chosen.Backend.Name(), planOf(offers, chosen.Backend.Name()), estimate.NewReplicated(g, &native), rates)
	r.Others = newEstimates(slices.DeleteFunc(offers, func(x backends.Offer) bool { return x.Backend.Name() == r.Backend }))
	return u.report(r, func(w io.Writer) { r.printAll(w) })
}

// planOf is the offer of a proof system that has one.
func planOf(offers []backends.Offer, name string) *prover.Plan {
	for _, x := range offers {
		if x.Backend.Name() == name {
			return x.Plan
		}
	}
	return nil
}

// nativeRun measures the executor on zeros, or what is nearest to them in the model's range.
func nativeRun(ctx context.Context, g *model.Graph) (estimate.Cost, error) {
	inputs := make([][]int64, len(g.Inputs))
	for i, t := range tensors(g, g.Inputs) {
		inputs[i] = make([]int64, t.Len())
		for k := range inputs[i] {
			inputs[i][k] = min(max(0, t.Min), t.Max)
		}
	}
	start, cpu := time.Now(), cpuSeconds()
	_, err := g.Execute(ctx, inputs)
	return estimate.Cost{Wall: time.Since(start).Seconds(), CPU: cpuSeconds() - cpu}, err
}

func (e *estimateReport) printAll(w io.Writer) {
	fields(w,
		"backend", e.Backend,
		"constraints", fmt.Sprintf("%s, in a domain of %s", grouped(e.Constraints), grouped(e.DomainSize)),
		"setup", seconds(e.SetupSeconds),
		"proof", fmt.Sprintf("%s, %s of memory, %s", seconds(e.ProveSeconds), byteSize(e.MemoryBytes), byteSize(e.ProofBytes)),
		"keys", fmt.Sprintf("proving key %s, verifying key %s", byteSize(e.ProvingKeyBytes), byteSize(e.VerifyingKeyBytes)),
	)
	v, r := e.Verify, e.Replicated
	fmt.Fprintln(w)
	table(w, "lrr",
		[]string{"", "verify a proof", "every node runs the model"},
		[]string{"natively", seconds(v.Native.Wall), seconds(r.Native.Wall)},
		[]string{"canister instructions", about(v.CanisterInstructions), between(r.CanisterInstructionsLeast, r.CanisterInstructions)},
		[]string{"canister cycles, 13 nodes", about(v.CanisterCycles), between(r.CanisterCyclesLeast, r.CanisterCycles)},
		[]string{"EVM gas", about(v.EVMGas), between(r.EVMGasLeast, r.EVMGas)},
		[]string{"EVM gas for the weights, once", "", about(r.EVMGasWeights)},
		[]string{"who sees the weights", "the prover", "everybody"},
	)
	if len(e.Others) > 0 {
		fmt.Fprintln(w)
		printEstimates(w, append([]*estimateReport{e}, e.Others...))
	}
}

// between is a range of a number.
func between(least, most int64) string { return about(least) + " to " + about(most) }

// about is a number in two or three digits, a dash where it is not known.
func about(n int64) string {
	switch v := float64(n); {
	case n == 0:
		return "–"
	case v < 1e3:
		return fmt.Sprint(n)
	case v < 1e6:
		return fmt.Sprintf("%.0f k", v/1e3)
	case v < 1e8:
		return fmt.Sprintf("%.1f M", v/1e6)
	default:
		return grouped(int64(v/1e6+0.5)) + " M"
	}
}
