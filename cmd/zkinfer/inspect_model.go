package main

import (
	"fmt"
	"io"
	"math/bits"
	"strings"

	"github.com/spf13/pflag"

	"github.com/zkinfer/zkinfer/bench/estimate"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/prover/backends"
)

// modelReport is inspect's JSON for a model. Constraints are null where the model has no circuit,
// for the reason in Unprovable.
type modelReport struct {
	Kind         string         `json:"kind"`
	Name         string         `json:"name"`
	SourceFormat string         `json:"source_format"`
	Rounding     string         `json:"rounding"`
	Architecture string         `json:"architecture"` // digest, hex
	Parameters   string         `json:"parameter_digest"`
	PixelScale   []float64      `json:"pixel_scale,omitempty"`
	PixelMean    []float64      `json:"pixel_mean,omitempty"`
	Inputs       []tensorReport `json:"inputs"`
	Outputs      []tensorReport `json:"outputs"`
	Layers       []layerReport  `json:"layers"`
	Totals       totalsReport   `json:"totals"`
	// ConstraintsOf is the proof system whose constraints layers and totals have: unless --backend names one, one
	// whose constraints belong to layers.
	ConstraintsOf string          `json:"constraints_of,omitempty"`
	Estimate      *estimateReport `json:"estimate,omitempty"`
	// Estimates are of all proof systems that can prove the model; Estimate is that of the one that would be taken.
	Estimates  []*estimateReport `json:"estimates,omitempty"`
	Refused    []refusal         `json:"refused,omitempty"`
	Unprovable string            `json:"unprovable,omitempty"`
}

type tensorReport struct {
	Name  string  `json:"name"`
	Shape []int   `json:"shape"`
	Type  string  `json:"type"`
	Min   int64   `json:"min"`
	Max   int64   `json:"max"`
	Scale float64 `json:"scale"`
	Zero  int64   `json:"zero"`
}

type layerReport struct {
	Name        string `json:"name"`
	Op          string `json:"op"`
	Shape       []int  `json:"shape"`
	Bits        int    `json:"bits"`
	Parameters  int64  `json:"parameters"`
	MACs        int64  `json:"macs"`
	Activations int    `json:"activations"`
	Constraints *int   `json:"constraints"`
	Note        string `json:"note,omitempty"`
}

// totalsReport adds up the layers. Constraints also count what no layer has alone: Border is packing
// and ranges of inputs and outputs, Tables the rows of lookup tables, Fixed powers of challenges.
type totalsReport struct {
	Parameters  int64 `json:"parameters"`
	MACs        int64 `json:"macs"`
	Activations int   `json:"activations"`
	Constraints *int  `json:"constraints"`
	Border      int   `json:"border_constraints"`
	Tables      int   `json:"table_constraints"`
	Fixed       int   `json:"fixed_constraints"`
}

// circuitFlags are the choices that keys are made for.
type circuitFlags struct {
	input, output string
	foldRows      int
}

func (c *circuitFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&c.input, "input", "public", "whether a proof shows the input: public or private")
	f.StringVar(&c.output, "output", "public", "whether a proof shows the output: public or private")
	f.IntVar(&c.foldRows, "fold-rows", 0, "points in a model commitment at most (default: chosen by cost, up to 16): more are cheaper to prove and dearer to verify")
}

func (c *circuitFlags) options() (prover.Options, error) {
	o := prover.Options{FoldRows: c.foldRows}
	var err error
	if o.PrivateInput, err = isPrivate("--input", c.input); err != nil {
		return o, err
	}
	o.PrivateOutput, err = isPrivate("--output", c.output)
	return o, err
}

func isPrivate(flag, value string) (bool, error) {
	switch value {
	case "public":
		return false, nil
	case "private":
		return true, nil
	}
	return false, usagef("%s %q, expected public or private", flag, value)
}

func (f *inspectFlags) inspectModel(path string) (*modelReport, error) {
	options, err := f.circuit.options()
	if err != nil {
		return nil, err
	}
	g, err := readModel(path)
	if err != nil {
		return nil, err
	}
	return newModelReport(g, f.backend, options), nil
}

func newModelReport(g *model.Graph, named backendFlag, options prover.Options) *modelReport {
	architecture, parameters := g.ArchitectureDigest(), g.ParameterDigest()
	r := &modelReport{
		Kind: "model", Name: g.Name, SourceFormat: g.Source.Format, Rounding: g.Source.Rounding,
		Architecture: fmt.Sprintf("%x", architecture), Parameters: fmt.Sprintf("%x", parameters),
		PixelScale: g.Source.PixelScale, PixelMean: g.Source.PixelMean,
		Inputs: tensorReports(tensors(g, g.Inputs)), Outputs: tensorReports(tensors(g, g.Outputs)),
		Layers: []layerReport{},
	}
	for _, n := range g.Nodes {
		l := newLayerReport(g, n)
		r.Layers = append(r.Layers, l)
		r.Totals.Parameters += l.Parameters
		r.Totals.MACs += l.MACs
		r.Totals.Activations += l.Activations
	}
	r.plan(g, named, options)
	return r
}

func newLayerReport(g *model.Graph, n model.Node) layerReport {
	out := g.Tensors[n.Out]
	l := layerReport{Name: n.Name, Op: n.Op.Kind(), Shape: out.Shape, Bits: bitsOf(out),
		MACs: n.Op.MACs(g.Operands(n), out)}
	for _, p := range n.Op.Params() {
		l.Parameters += int64(len(*p.Values))
	}
	if _, moves := n.Op.(model.Rearrangement); !moves {
		l.Activations = out.Len()
	}
	return l
}

// bitsOf is the number of bits that tell a tensor's values apart.
func bitsOf(t model.Tensor) int { return bits.Len64(uint64(t.Max - t.Min)) }

// plan adds what keys and proofs take.
func (r *modelReport) plan(g *model.Graph, named backendFlag, options prover.Options) {
	offers, chosen, err := named.offers(g, options)
	if err != nil {
		r.Unprovable = err.Error()
		return
	}
	of := chosen
	if named.name == backends.Auto && chosen.Plan.Layers == nil {
		of = layered(offers, chosen)
	}
	plan := of.Plan
	r.ConstraintsOf = of.Backend.Name()
	for i, l := range plan.Layers {
		r.Layers[i].Constraints, r.Layers[i].Note = &l.Constraints, l.Note
	}
	r.Totals.Constraints = &plan.Constraints
	r.Totals.Border, r.Totals.Tables, r.Totals.Fixed = plan.Border, plan.Tables, plan.Fixed
	r.Estimate = newEstimate(chosen.Backend.Name(), chosen.Plan, estimate.NewReplicated(g, nil), nil)
	r.Estimates, r.Refused = newEstimates(offers), newRefusals(offers)
}

// layered is an offer in which constraints belong to layers, if there is one.
func layered(offers []backends.Offer, otherwise *backends.Offer) *backends.Offer {
	for i := range offers {
		if offers[i].Err == nil && offers[i].Plan.Layers != nil {
			return &offers[i]
		}
	}
	return otherwise
}

func tensorReports(specs []model.Tensor) []tensorReport {
	out := make([]tensorReport, len(specs))
	for i, t := range specs {
		out[i] = tensorReport{Name: t.Name, Shape: t.Shape, Type: t.Type.String(), Min: t.Min, Max: t.Max, Scale: t.Scale, Zero: t.Zero}
	}
	return out
}

func (r *modelReport) print(w io.Writer) {
	fields(w,
		"model", r.Name,
		"source", fmt.Sprintf("%s, rounding %s", r.SourceFormat, r.Rounding),
		"architecture", r.Architecture,
		"parameters", r.Parameters,
	)
	for _, side := range []struct {
		name  string
		specs []tensorReport
	}{{"input", r.Inputs}, {"output", r.Outputs}} {
		for _, t := range side.specs {
			fmt.Fprintf(w, "%s %q %s%v in [%d, %d], real = %.6g·%s\n", side.name, t.Name, t.Type, t.Shape, t.Min, t.Max, t.Scale, lessZero(t.Zero))
		}
	}
	fmt.Fprintln(w)
	r.printLayers(w)
	fmt.Fprintln(w)
	if r.Unprovable != "" {
		fmt.Fprintf(w, "this model has no circuit: %s\n", r.Unprovable)
		return
	}
	if r.Totals.Border+r.Totals.Tables+r.Totals.Fixed > 0 {
		fmt.Fprintf(w, "not in a layer: %s constraints for inputs and outputs, %s for tables, %s for challenges\n",
			grouped(r.Totals.Border), grouped(r.Totals.Tables), grouped(r.Totals.Fixed))
	}
	fmt.Fprintf(w, "estimated for %s on two usual cores (zkinfer estimate probes this machine):\n", r.Estimate.Backend)
	printEstimates(w, r.Estimates)
	for _, x := range r.Refused {
		fmt.Fprintf(w, "no proof by %s: %s\n", x.Backend, x.Message)
	}
	r.Estimate.printOnChain(w)
}

// lessZero is q less a zero point, for people.
func lessZero(zero int64) string {
	switch {
	case zero > 0:
		return fmt.Sprintf("(q − %d)", zero)
	case zero < 0:
		return fmt.Sprintf("(q + %d)", -zero)
	}
	return "q"
}

func (r *modelReport) printLayers(w io.Writer) {
	rows := [][]string{{"layer", "op", "shape", "bits", "parameters", "MACs", "activations", strings.TrimSpace(r.ConstraintsOf + " constraints"), "each", ""}}
	for _, l := range r.Layers {
		rows = append(rows, []string{l.Name, l.Op, fmt.Sprint(l.Shape), fmt.Sprint(l.Bits), grouped(l.Parameters), grouped(l.MACs),
			grouped(l.Activations), orDash(l.Constraints), each(l.Constraints, l.Activations), l.Note})
	}
	rows = append(rows, []string{"total", "", "", "", grouped(r.Totals.Parameters), grouped(r.Totals.MACs), grouped(r.Totals.Activations),
		orDash(r.Totals.Constraints), each(r.Totals.Constraints, r.Totals.Activations), ""})
	table(w, "lllrrrrrrl", rows...)
}

func orDash(n *int) string {
	if n == nil {
		return "–"
	}
	return grouped(*n)
}

// each is constraints an activation.
func each(constraints *int, activations int) string {
	if constraints == nil || activations == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", float64(*constraints)/float64(activations))
}
