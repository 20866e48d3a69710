package claims

import (
	"errors"
	"fmt"
	"hash"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"golang.org/x/crypto/sha3"
)

// Message is the number of a message element in the order of sending.
type Message int

// Kind says where the pad of a message lies.
type Kind uint8

const (
	// Linear messages occur in forms only linearly: their pads are cells of Z.
	Linear Kind = iota
	// Single messages occur only linearly too, but are sent after the cells' functional is fixed: their pads are
	// wires of a circuit.
	Single
	// Multiplied messages may also occur in products: their pads are wires that stand in groups of four.
	Multiplied
)

// GroupSize is the number of messages of a group. A product is of two messages of one group, in the slots that
// Patterns lists: so a circuit for so many groups serves every protocol.
const GroupSize = 4

// Patterns are the slots of a group whose product can be taken.
var Patterns = [3][2]int{{0, 3}, {1, 2}, {2, 3}}

// ErrMessages: a proof has fewer or more message elements than the protocol reads.
var ErrMessages = errors.New("wrong number of messages")

// Run is one execution of the protocol, of the verifier or of the prover.
type Run struct {
	// Sent are the message elements under their pads, in order.
	Sent []fr.Element
	// Kinds has a kind for each of Sent.
	Kinds []Kind
	// Slots says which wire holds the pad of a message among those of its kind: by number for Linear and
	// Single, GroupSize·group + slot for Multiplied.
	Slots []int
	// Checks are the forms that have to be 0.
	Checks []Check

	state  [32]byte
	hash   hash.Hash // used again and again
	source source
	err    error
	used   [3]int // slots, by kind
}

// source yields the next messages, under their pads, of which the first has the given slot; values are what the
// prover sends, nil for a verifier.
type source interface {
	next(kind Kind, slot, n int, values func() []fr.Element) ([]fr.Element, error)
}

// NewVerifier reads messages from a proof. seed covers the statement and all commitments.
func NewVerifier(seed [32]byte, sent []fr.Element) *Run {
	return &Run{state: seed, source: &received{sent}}
}

// received are a proof's messages.
type received struct{ left []fr.Element }

func (r *received) next(_ Kind, _, n int, _ func() []fr.Element) ([]fr.Element, error) {
	if n > len(r.left) {
		return nil, fmt.Errorf("%w: %d more expected", ErrMessages, n-len(r.left))
	}
	out := r.left[:n]
	r.left = r.left[n:]
	return out, nil
}

// NewRehearsal makes up messages, to see how many a protocol has.
func NewRehearsal() *Run { return &Run{source: blank{}} }

// blank are messages of 0.
type blank struct{}

func (blank) next(_ Kind, _, n int, _ func() []fr.Element) ([]fr.Element, error) {
	return make([]fr.Element, n), nil
}

// NewProver computes messages as it goes; pad is called once for each element, in order, with its kind and slot.
func NewProver(seed [32]byte, pad func(kind Kind, slot int) fr.Element) *Run {
	return &Run{state: seed, source: padded(pad)}
}

// padded draws a pad for each element.
type padded func(Kind, int) fr.Element

func (p padded) next(kind Kind, slot, n int, values func() []fr.Element) ([]fr.Element, error) {
	v := values()
	if len(v) != n {
		return nil, fmt.Errorf("%w: the prover has %d elements, the protocol asks for %d", ErrMessages, len(v), n)
	}
	out := make([]fr.Element, n)
	for i := range out {
		pad := p(kind, slot+i)
		out[i].Add(&v[i], &pad)
	}
	return out, nil
}

// Send absorbs n message elements; those of kind Multiplied begin a group. values computes them for a prover; a
// verifier never calls it.
func (r *Run) Send(kind Kind, n int, values func() []fr.Element) []Message {
	return r.sendFrom(0, kind, n, values)
}

// sendFrom is Send from a slot of the group on.
func (r *Run) sendFrom(slot int, kind Kind, n int, values func() []fr.Element) []Message {
	first := len(r.Sent)
	sent := make([]fr.Element, n)
	if r.err == nil {
		got, err := r.source.next(kind, r.used[kind]+slot, n, values)
		if r.err = err; err == nil {
			sent = got
		}
	}
	h := r.absorbed()
	out := make([]Message, n)
	for i := range sent {
		b := sent[i].Bytes()
		h.Write(b[:])
		out[i] = Message(first + i)
		r.Kinds = append(r.Kinds, kind)
		r.Slots = append(r.Slots, r.used[kind]+slot+i)
	}
	r.used[kind] += slot + n
	if over := r.used[kind] % GroupSize; kind == Multiplied && over > 0 {
		r.used[kind] += GroupSize - over
	}
	r.Sent = append(r.Sent, sent...)
	h.Sum(r.state[:0])
	return out
}

// Draw is a challenge: a function of everything sent so far and of its label, which must not repeat
// between two messages.
func (r *Run) Draw(label string) fr.Element {
	h := r.absorbed()
	h.Write([]byte(label))
	var sum [32]byte
	var c fr.Element
	c.SetBytes(h.Sum(sum[:0]))
	return c
}

// absorbed is a hash that has read the state.
func (r *Run) absorbed() hash.Hash {
	if r.hash == nil {
		r.hash = sha3.NewLegacyKeccak256()
	}
	r.hash.Reset()
	r.hash.Write(r.state[:])
	return r.hash
}

// State is a digest of everything sent so far.
func (r *Run) State() [32]byte { return r.state }

// Finish errs where the proof has other messages than the protocol read.
func (r *Run) Finish() error {
	if r.err != nil {
		return r.err
	}
	if left, ok := r.source.(*received); ok && len(left.left) > 0 {
		return fmt.Errorf("%w: %d too many", ErrMessages, len(left.left))
	}
	return nil
}

// Form is a public linear form: a constant, coefficients of messages, and a functional of Z.
type Form struct {
	Constant fr.Element
	Messages []Scaled
	cells    []Block        // functionals of Z
	added    []scaledBlocks // those of forms that were added: they may be many, and are not copied
}

// scaledBlocks is a coefficient times the sum of functionals.
type scaledBlocks struct {
	coefficient fr.Element
	blocks      []Block
}

// Scaled is a coefficient of a message.
type Scaled struct {
	Message     Message
	Coefficient fr.Element
}

// Public is a form without secrets.
func Public(c fr.Element) Form { return Form{Constant: c} }

// Of is the form of one message.
func Of(m Message) Form { return Form{Messages: []Scaled{{m, fr.One()}}} }

// Add adds k times another form.
func (f *Form) Add(k fr.Element, g Form) {
	var v fr.Element
	f.Constant.Add(&f.Constant, v.Mul(&k, &g.Constant))
	for _, t := range g.Messages {
		t.Coefficient.Mul(&t.Coefficient, &k)
		f.Messages = append(f.Messages, t)
	}
	for _, s := range g.spans() {
		s.coefficient.Mul(&s.coefficient, &k)
		f.added = append(f.added, s)
	}
}

// spans are all functionals of Z: the form's own, and those that were added.
func (f *Form) spans() []scaledBlocks {
	if len(f.cells) == 0 {
		return f.added
	}
	return append([]scaledBlocks{{fr.One(), f.cells}}, f.added...)
}

// addMessage adds k times a message.
func (f *Form) addMessage(k fr.Element, m Message) {
	f.Messages = append(f.Messages, Scaled{m, k})
}

// Scale multiplies the form by k.
func (f *Form) Scale(k fr.Element) {
	g := *f
	*f = Form{}
	f.Add(k, g)
}

// Product is Coefficient·A·B of two multiplied messages.
type Product struct {
	A, B        Message
	Coefficient fr.Element
}

// Check is a form and products whose sum has to be 0.
type Check struct {
	Form
	Products []Product
}

// Require adds a check. Products have to be of messages whose slots allow it: that is for the author of a protocol
// to see to, hence a panic.
func (r *Run) Require(c Check) {
	for _, p := range c.Products {
		if _, _, ok := r.Pattern(p); !ok {
			panic(fmt.Sprintf("claims: product of messages %d and %d, which no circuit multiplies", p.A, p.B))
		}
	}
	r.Checks = append(r.Checks, c)
}

// Pattern is the group of a product and the number of its slots in Patterns.
func (r *Run) Pattern(p Product) (group, pattern int, ok bool) {
	if r.Kinds[p.A] != Multiplied || r.Kinds[p.B] != Multiplied {
		return 0, 0, false
	}
	a, b := r.Slots[p.A], r.Slots[p.B]
	for i, slots := range Patterns {
		if a/GroupSize == b/GroupSize && (slots == [2]int{a % GroupSize, b % GroupSize} || slots == [2]int{b % GroupSize, a % GroupSize}) {
			return a / GroupSize, i, true
		}
	}
	return 0, 0, false
}

// Used is the number of wires for Single messages and of groups, and of cells for Linear ones.
func (r *Run) Used() (linear, singles, groups int) {
	return r.used[Linear], r.used[Single], r.used[Multiplied] / GroupSize
}

// Value is the check's value for known messages and a known Z: 0 if it holds. It is what a circuit shows
// without either.
func (c *Check) Value(messages, z []fr.Element) fr.Element {
	out := c.Constant
	var v fr.Element
	for _, t := range c.Messages {
		out.Add(&out, v.Mul(&t.Coefficient, &messages[t.Message]))
	}
	for _, p := range c.Products {
		v.Mul(&messages[p.A], &messages[p.B])
		out.Add(&out, v.Mul(&v, &p.Coefficient))
	}
	for _, s := range c.spans() {
		for i := range s.blocks {
			v = s.blocks[i].of(func(cell int) fr.Element { return z[cell] })
			out.Add(&out, v.Mul(&v, &s.coefficient))
		}
	}
	return out
}
