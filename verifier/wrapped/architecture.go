package wrapped

import (
	"fmt"
	"math"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/internal/compact"
	"github.com/zkinfer/zkinfer/verifier"
)

// Architecture is what a verifier knows of a model beside its commitment: all but the parameters.
type Architecture struct {
	Name, Rounding  string   // for people
	Graph           [32]byte // digest of the integer graph without parameters
	Inputs, Outputs []Border
	RowBits         int
	// What the protocol sends: messages in all, of which linear ones have their pads in Z, and groups of multiplied ones.
	Messages, Linear, Groups int
	Network                  claims.Network

	layout *claims.Layout
}

// Border is an input or output of the model.
type Border struct {
	Name     string
	Shape    []int
	Type     string
	Min, Max int64
	Private  bool
	// Index is the number of the public tensor of the network, or of the external tensor.
	Index int
}

// maxArchitecture bounds an encoded architecture, in bytes; maxDecoded what its lists take.
const (
	maxArchitecture = 1 << 22
	maxDecoded      = 1 << 25
)

// NewArchitecture completes an architecture: it counts messages and lays the network out. Errors wrap claims.ErrNetwork.
func NewArchitecture(a Architecture) (*Architecture, error) {
	r := claims.NewRehearsal()
	if err := a.Network.Check(); err != nil {
		return nil, err
	}
	public := make([][]int64, len(a.Network.Public))
	for i := range public {
		public[i] = make([]int64, a.Network.Public[i].Len())
	}
	if _, err := a.Network.Lay(a.RowBits, 0); err != nil { // claims are about placed tensors
		return nil, err
	}
	if err := a.Network.Prove(r, public, nil); err != nil {
		return nil, err
	}
	a.Linear, _, a.Groups = r.Used()
	if err := a.lay(); err != nil {
		return nil, err
	}
	a.Messages = len(r.Sent) + 2*a.layout.AddressBits // of the last sum
	return &a, nil
}

func (a *Architecture) lay() (err error) {
	a.layout, err = a.Network.Lay(a.RowBits, a.Linear)
	return err
}

// Layout says which rows are whose.
func (a *Architecture) Layout() *claims.Layout { return a.layout }

// Fits errs where the model needs a larger size class, or one with other rows.
func (a *Architecture) Fits(c claims.Class) error {
	if a.RowBits != c.RowBits || a.Groups > c.Groups || 2*a.layout.AddressBits > c.Singles {
		return fmt.Errorf("the model needs rows of 2^%d cells, %d groups of messages and %d single ones, the size class has 2^%d, %d and %d",
			a.RowBits, a.Groups, 2*a.layout.AddressBits, c.RowBits, c.Groups, c.Singles)
	}
	return nil
}

// Encode is the one encoding of an architecture.
func (a *Architecture) Encode() ([]byte, error) {
	b := compact.Append(nil, a)
	if len(b) > maxArchitecture {
		return nil, fmt.Errorf("%w: architecture of %d bytes, at most %d", verifier.ErrMalformed, len(b), maxArchitecture)
	}
	return b, nil
}

// DecodeArchitecture decodes and checks. Errors wrap verifier.ErrMalformed.
func DecodeArchitecture(b []byte) (*Architecture, error) {
	a := &Architecture{}
	if len(b) > maxArchitecture {
		return nil, fmt.Errorf("%w: architecture of %d bytes, at most %d", verifier.ErrMalformed, len(b), maxArchitecture)
	}
	if err := compact.Decode(b, a, maxDecoded); err != nil {
		return nil, fmt.Errorf("%w: architecture: %w", verifier.ErrMalformed, err)
	}
	if err := a.complete(); err != nil {
		return nil, fmt.Errorf("%w: architecture: %w", verifier.ErrMalformed, err)
	}
	return a, nil
}

// complete checks a decoded architecture and lays it out.
func (a *Architecture) complete() error {
	if err := a.Network.Cut(); err != nil {
		return err
	}
	if err := a.Network.Check(); err != nil {
		return err
	}
	if a.Messages < 0 || a.Messages > 1<<16 || a.Linear > a.Messages || a.Groups < 0 {
		return fmt.Errorf("%w: %d messages, %d linear, %d groups", claims.ErrNetwork, a.Messages, a.Linear, a.Groups)
	}
	if err := a.lay(); err != nil {
		return err
	}
	return a.checkBorders()
}

// checkBorders demands that inputs and outputs are the public and the external tensors, each once.
func (a *Architecture) checkBorders() error {
	seen := map[[2]int]bool{}
	private := 0
	for _, side := range [][]Border{a.Inputs, a.Outputs} {
		for i := range side {
			if err := a.checkBorder(&side[i]); err != nil {
				return err
			}
			key := [2]int{0, side[i].Index}
			if side[i].Private {
				key[0] = 1
				private++
			}
			if seen[key] {
				return fmt.Errorf("%w: tensor %q is another one's", claims.ErrNetwork, side[i].Name)
			}
			seen[key] = true
		}
	}
	if len(a.Inputs) == 0 || len(a.Outputs) == 0 || private != len(a.layout.Externals) || len(seen)-private != len(a.Network.Public) {
		return fmt.Errorf("%w: %d inputs and %d outputs for %d public and %d external tensors", claims.ErrNetwork,
			len(a.Inputs), len(a.Outputs), len(a.Network.Public), len(a.layout.Externals))
	}
	return nil
}

func (a *Architecture) checkBorder(b *Border) error {
	n := 1
	for _, d := range b.Shape {
		if d < 1 || n > math.MaxInt32/d {
			return fmt.Errorf("%w: tensor %q of shape %v", claims.ErrNetwork, b.Name, b.Shape)
		}
		n *= d
	}
	limit := len(a.Network.Public)
	if b.Private {
		limit = len(a.layout.Externals)
	}
	if b.Index < 0 || b.Index >= limit || b.Min > b.Max || b.Min < math.MinInt32 || b.Max > math.MaxInt32 {
		return fmt.Errorf("%w: tensor %q", claims.ErrNetwork, b.Name)
	}
	if !b.Private && a.Network.Public[b.Index].Len() != n {
		return fmt.Errorf("%w: tensor %q of shape %v is public tensor of %v", claims.ErrNetwork, b.Name, b.Shape, a.Network.Public[b.Index].Shape)
	}
	return nil
}

// specs describe borders to the statement.
func (a *Architecture) specs(borders []Border) []verifier.TensorSpec {
	out := make([]verifier.TensorSpec, len(borders))
	for i, b := range borders {
		out[i] = verifier.TensorSpec{Name: b.Name, Shape: b.Shape, Type: b.Type, Min: b.Min, Max: b.Max, Binding: verifier.BindingFolded}
		if b.Private {
			out[i].Binding, out[i].Points = verifier.BindingCommitted, a.layout.Externals[b.Index].Rows
		}
	}
	return out
}
