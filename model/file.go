package model

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/zkinfer/zkinfer/internal/envelope"
)

// FileKind is the envelope kind of a model file (.zkm), FileVersion the version of its contents.
const (
	FileKind    = "zkm "
	FileVersion = 1
)

// MaxFileSize bounds the payload of a model file in bytes.
const MaxFileSize = 1 << 30

// file is the payload of a model file.
type file struct {
	Name    string
	Inputs  []TensorID
	Outputs []TensorID
	Tensors []Tensor
	Nodes   []fileNode
	Source  Source
}

// fileNode is a node: the op's attributes as CBOR by field name, its parameters packed in the order
// of Params.
type fileNode struct {
	Name       string
	Kind       string
	In         []TensorID
	Out        TensorID
	Attributes envelope.RawMessage
	Table      string // name of the op's function table
	Parameters [][]byte
}

// Encode is the graph as a model file: the same graph gives the same bytes. The graph must be valid.
func (g *Graph) Encode() ([]byte, error) {
	payload, err := g.payload()
	if err != nil {
		return nil, err
	}
	return envelope.Encode(FileKind, FileVersion, payload), nil
}

// Write writes the graph as a model file.
func (g *Graph) Write(w io.Writer) error {
	b, err := g.Encode()
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// Decode reads a model file of which all bytes are at hand, and validates the graph. Errors wrap
// envelope.ErrMalformed, ErrKind or ErrUnsupportedVersion, or what Validate returns.
func Decode(b []byte) (*Graph, error) {
	version, payload, err := envelope.Decode(b, FileKind)
	if err != nil {
		return nil, err
	}
	return decodePayload(version, payload)
}

// ReadFile reads and validates a model file; see Decode.
func ReadFile(path string) (*Graph, error) {
	version, payload, err := envelope.ReadFile(path, FileKind, MaxFileSize)
	if err != nil {
		return nil, err
	}
	g, err := decodePayload(version, payload)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}

func (g *Graph) payload() ([]byte, error) {
	f := file{Name: g.Name, Inputs: g.Inputs, Outputs: g.Outputs, Tensors: g.Tensors, Source: g.Source}
	for _, n := range g.Nodes {
		attributes, err := envelope.Marshal(n.Op)
		if err != nil {
			return nil, fmt.Errorf("node %q (%s): %w", n.Name, n.Op.Kind(), err)
		}
		node := fileNode{Name: n.Name, Kind: n.Op.Kind(), In: n.In, Out: n.Out, Attributes: attributes}
		if t := tableOf(n.Op); t != nil {
			node.Table = t.Name
		}
		for _, p := range n.Op.Params() {
			node.Parameters = append(node.Parameters, packIntegers(*p.Values))
		}
		f.Nodes = append(f.Nodes, node)
	}
	return envelope.Marshal(f)
}

func decodePayload(version uint16, payload []byte) (*Graph, error) {
	if err := envelope.CheckVersion(FileKind, version, FileVersion); err != nil {
		return nil, err
	}
	var f file
	if err := envelope.Unmarshal(payload, &f); err != nil {
		return nil, err
	}
	g := &Graph{Name: f.Name, Inputs: f.Inputs, Outputs: f.Outputs, Tensors: f.Tensors, Source: f.Source}
	for _, n := range f.Nodes {
		op, err := n.op()
		if err != nil {
			return nil, fmt.Errorf("node %q (%s): %w", n.Name, n.Kind, err)
		}
		g.Nodes = append(g.Nodes, Node{Name: n.Name, Op: op, In: n.In, Out: n.Out})
	}
	if err := g.Validate(); err != nil {
		return nil, err
	}
	// One file a graph: nothing may hide in an encoding that is not the canonical one.
	canonical, err := g.payload()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(canonical, payload) {
		return nil, fmt.Errorf("%w: not in canonical form", envelope.ErrMalformed)
	}
	return g, nil
}

// op decodes a node's op, its parameters included.
func (n *fileNode) op() (Op, error) {
	op, err := newOp(n.Kind)
	if err != nil {
		return nil, err
	}
	if err := envelope.Unmarshal(n.Attributes, op); err != nil {
		return nil, err
	}
	if t := tableOf(op); t != nil {
		t.Name = n.Table
	}
	params := op.Params()
	if len(params) != len(n.Parameters) {
		return nil, fmt.Errorf("%w: %d parameter arrays, expected %d", envelope.ErrMalformed, len(n.Parameters), len(params))
	}
	for i, p := range params {
		values, err := unpackIntegers(n.Parameters[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		*p.Values = values
	}
	return op, nil
}

// packIntegers writes values in two's complement, little-endian, all in the least number of bytes
// that holds every one; that number is the first byte.
func packIntegers(values []int64) []byte {
	width := 1
	for _, v := range values {
		for v != v<<(64-8*width)>>(64-8*width) {
			width++
		}
	}
	b := make([]byte, 1, 1+width*len(values)+8)
	b[0] = byte(width)
	for _, v := range values {
		end := len(b) + width
		b = binary.LittleEndian.AppendUint64(b, uint64(v))[:end]
	}
	return b
}

// unpackIntegers inverts packIntegers. It allocates at most eight times the length of b.
func unpackIntegers(b []byte) ([]int64, error) {
	if len(b) == 0 || b[0] < 1 || b[0] > 8 || (len(b)-1)%int(b[0]) != 0 {
		return nil, fmt.Errorf("%w: packed integers of %d bytes, expected a width of 1 to 8 and a multiple of it", envelope.ErrMalformed, len(b))
	}
	width := int(b[0])
	values := make([]int64, 0, (len(b)-1)/width)
	for b = b[1:]; len(b) > 0; b = b[width:] {
		var word [8]byte
		copy(word[8-width:], b[:width])
		// The value stands in the high bytes; shifting it down extends its sign.
		values = append(values, int64(binary.LittleEndian.Uint64(word[:]))>>(64-8*width))
	}
	return values, nil
}
