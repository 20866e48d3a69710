package circuits

import (
	"errors"
	"fmt"

	"github.com/zkinfer/zkinfer/model"
)

// Errors of planning and compiling.
var (
	// ErrUnsupportedOp is an operation without a gadget.
	ErrUnsupportedOp = errors.New("operation has no circuit")
	// ErrTooLarge is a range or a table that no gadget can hold.
	ErrTooLarge = errors.New("range too large for a circuit")
)

// MaxDefaultFoldRows bounds the fold height R where Options leave it open: the model commitment has
// at most this many points, and a verifier adds as many.
const MaxDefaultFoldRows = 16

// foldSlack is the fraction of constraints for which a lower fold height is preferred: each row is a
// point of the model commitment, a scalar multiplication of every verification, 6,150 gas in a contract.
const foldSlack = 0.01

// maxPackedBits bounds the digits packed into one field element: the BN254 scalar field has 254 bits.
const maxPackedBits = 252

// packLimit is the number of field elements above which public tensors are bound by their fold, not packed into
// public inputs: each of these costs the verifier a scalar multiplication, and so does the fold, once.
const packLimit = 1

// Arithmetization is the form that constraints are brought into, which decides what is cheap.
type Arithmetization int

const (
	// Rank1 constraints multiply two sums of any length.
	Rank1 Arithmetization = iota
	// Gates of PLONK have three wires: a sum costs a gate a term, and so does committing a wire. The
	// parameters are constants, for which nothing is folded, and public tensors are packed: there is no
	// commitment that a verifier could compare with a fold.
	Gates
)

// Options choose how the statement's parts are bound and how parameters are folded.
type Options struct {
	PrivateInput    bool
	PrivateOutput   bool
	FoldRows        int // R, at most 1024; 0 leaves it to the plan
	Arithmetization Arithmetization
	// PackTensors has public tensors packed into public inputs, however many these are: where no verifier computes folds.
	PackTensors bool
	// PublicParameters leaves out the salts of keys that hold the parameters: whoever has the model makes the
	// same key.
	PublicParameters bool
}

// Binding says how a tensor of the statement is bound.
type Binding int

const (
	// Packed is a public tensor whose values are packed into public inputs.
	Packed Binding = iota + 1
	// Folded is a public tensor whose values are packed into coefficients of a polynomial, bound by its value
	// at α.
	Folded
	// Committed is a private tensor with a commitment of its own.
	Committed
)

// NodeCost is what one node of the graph costs. Table rows are shared by all nodes and counted apart.
type NodeCost struct {
	Name        string
	Kind        string
	Activations int // output elements computed (0 for rearrangements)
	Constraints int
	Note        string // how the node is packed
}

// Plan is everything about a circuit that can be known without building it: which gadget stands for
// which node, how wires are numbered, how ranges are cut into limbs, what it all costs. It depends
// on the architecture of the graph alone, never on parameters.
type Plan struct {
	Nodes       []NodeCost
	BorderCost  int // packing, folding and range checks of inputs and outputs
	TableCost   int // rows of all tables and their sums
	FixedCost   int // powers of the challenges, masks
	Constraints int // the sum of all
	TraceWires  int
	Columns     int // of the parameter matrix
	FoldRows    int

	graph    *model.Graph
	opts     Options
	gadgets  []gadget
	borders  []*border // inputs, then outputs
	linears  []*linear
	tables   *tableSet
	powers   int // β⁰ … β^(powers−1) are needed
	alphas   int
	limbBits uint
}

// span is a run of consecutive trace wires.
type span struct{ off, n int }

// gadget is the circuit of one node.
type gadget interface {
	// demand registers ranges and tables, before the limb widths are chosen.
	demand(d *demands)
	// allocate numbers the wires, after.
	allocate(p *Plan) error
	// constraints is the exact number that define adds, without tables.
	constraints() int
	// assign fills the wires from the executor's trace.
	assign(w *Witness)
	// define adds the constraints and sets the expressions of the output tensor.
	define(b *builder) error
}

// NewPlan plans the circuit of a graph.
func NewPlan(g *model.Graph, opts Options) (*Plan, error) {
	if opts.Arithmetization == Gates && opts.FoldRows == 0 {
		opts.FoldRows = 1 // a folded constant costs as many gates as the constants it is made of
	}
	if opts.FoldRows != 0 {
		return newPlan(g, opts, (*linear).choosePacking)
	}
	opts.FoldRows = MaxDefaultFoldRows
	best, err := newPlan(g, opts, (*linear).choosePacking)
	if err != nil {
		return nil, err
	}
	for rows := 1; rows < MaxDefaultFoldRows; rows *= 2 {
		opts.FoldRows = rows
		p, err := newPlan(g, opts, (*linear).choosePacking)
		if err != nil {
			return nil, err
		}
		if float64(p.Constraints) <= (1+foldSlack)*float64(best.Constraints) {
			return p, nil
		}
	}
	return best, nil
}

// Options are those the plan was made with, the fold height filled in.
func (p *Plan) Options() Options { return p.opts }

// newPlan is NewPlan with a choice of each linear layer's packing.
func newPlan(g *model.Graph, opts Options, choose func(*linear, *Plan)) (*Plan, error) {
	if opts.FoldRows < 1 || opts.FoldRows > 1024 {
		return nil, fmt.Errorf("fold height %d: expected 1 to 1024", opts.FoldRows)
	}
	p := &Plan{graph: g, opts: opts, tables: newTableSet()}
	for i := range g.Nodes {
		gd, err := p.newGadget(i)
		if err != nil {
			return nil, fmt.Errorf("node %q: %w", g.Nodes[i].Name, err)
		}
		p.gadgets = append(p.gadgets, gd)
	}
	p.newBorders()
	if err := p.allocate(choose); err != nil {
		return nil, err
	}
	p.account()
	return p, nil
}

// Inputs and Outputs tell how each tensor of the statement is bound, in the graph's order.
func (p *Plan) Inputs() []Binding { return bindings(p.borders[:len(p.graph.Inputs)]) }

// Outputs is Inputs for the graph's outputs.
func (p *Plan) Outputs() []Binding { return bindings(p.borders[len(p.graph.Inputs):]) }

func bindings(bs []*border) []Binding {
	out := make([]Binding, len(bs))
	for i, b := range bs {
		out[i] = b.binding
	}
	return out
}

func (p *Plan) allocate(choose func(*linear, *Plan)) error {
	d := newDemands()
	for _, g := range p.gadgets {
		g.demand(d)
	}
	for _, b := range p.borders {
		b.demand(d)
	}
	p.limbBits = d.bestLimb(costsOf[p.opts.Arithmetization])
	for i, g := range p.gadgets {
		if err := g.allocate(p); err != nil {
			return fmt.Errorf("node %q: %w", p.graph.Nodes[i].Name, err)
		}
	}
	for _, b := range p.borders {
		if err := b.allocate(p); err != nil {
			return err
		}
	}
	for _, t := range p.tables.list {
		t.multiplicities = p.wires(t.rows())
	}
	for _, l := range p.linears {
		choose(l, p)
	}
	// Shared input sums and folded columns depend on nothing but the layers themselves.
	for _, l := range p.linears {
		l.firstColumn = p.Columns
		p.Columns += l.columns()
		p.powers = max(p.powers, l.powersNeeded())
		p.FoldRows = max(p.FoldRows, l.rowsUsed())
	}
	p.FoldRows = max(p.FoldRows, 1)
	p.alphas = max(p.FoldRows, p.tables.width)
	if p.FoldsTensors() {
		p.alphas = max(p.alphas, p.FoldRows+1)
	}
	return nil
}

// account adds up the exact number of constraints.
func (p *Plan) account() {
	for i, g := range p.gadgets {
		n := &p.graph.Nodes[i]
		c := NodeCost{Name: n.Name, Kind: n.Op.Kind(), Constraints: g.constraints(), Note: noteOf(g)}
		if _, moves := n.Op.(model.Rearrangement); !moves {
			c.Activations = p.graph.Tensors[n.Out].Len()
		}
		p.Nodes = append(p.Nodes, c)
		p.Constraints += c.Constraints
	}
	for _, b := range p.borders {
		p.BorderCost += b.constraints()
	}
	for _, t := range p.tables.list {
		p.TableCost += t.rows() + 1
	}
	p.FixedCost = powerCost(p.powers) + powerCost(p.alphas) + len(p.Objects()) // a mask each
	p.Constraints += p.BorderCost + p.TableCost + p.FixedCost
}

func powerCost(n int) int { return max(n-2, 0) }

func (p *Plan) wires(n int) span {
	s := span{p.TraceWires, n}
	p.TraceWires += n
	return s
}

func noteOf(g gadget) string {
	if n, ok := g.(interface{ note() string }); ok {
		return n.note()
	}
	return ""
}

func (p *Plan) tensor(id model.TensorID) *model.Tensor { return &p.graph.Tensors[id] }
