package wasm

import "fmt"

// Instructions by their code; those of two bytes are 0xfc00 and the second.
const (
	OpUnreachable  = 0x00
	OpLoop         = 0x03
	OpIf           = 0x04
	OpElse         = 0x05
	OpEnd          = 0x0b
	OpBr           = 0x0c
	OpBrIf         = 0x0d
	OpBrTable      = 0x0e
	OpReturn       = 0x0f
	OpCall         = 0x10
	OpCallIndirect = 0x11
	OpLocalGet     = 0x20
	OpLocalSet     = 0x21
	OpGlobalGet    = 0x23
	OpGlobalSet    = 0x24
	OpI32Load      = 0x28
	OpI32Store     = 0x36
	OpI64Store     = 0x37
	OpMemorySize   = 0x3f
	OpMemoryGrow   = 0x40
	OpI32Const     = 0x41
	OpI64Const     = 0x42
	OpI64LtS       = 0x53
	OpI64Add       = 0x7c
	OpI64Sub       = 0x7d
	OpI64ExtendU   = 0xad
	OpRefFunc      = 0xd2
	OpMemoryInit   = 0xfc08
	OpDataDrop     = 0xfc09
	OpMemoryCopy   = 0xfc0a
	OpMemoryFill   = 0xfc0b
)

// Instruction is one instruction: Bytes with its immediates, Index the first of them where that is an
// index (calls, variables).
type Instruction struct {
	Code  int
	Index uint32
	Bytes []byte
}

// Walk calls visit for each instruction of a function's code.
func Walk(code []byte, visit func(Instruction)) error {
	r := &reader{b: code}
	for len(r.b) > 0 && r.err == nil {
		if i := r.instruction(); r.err == nil {
			visit(i)
		}
	}
	if r.err != nil {
		return fmt.Errorf("code: %w", r.err)
	}
	return nil
}

func (r *reader) instruction() Instruction {
	whole := r.b
	i := Instruction{Code: int(r.byte())}
	if i.Code == 0xfc {
		i.Code = 0xfc00 | int(r.uint())
	}
	r.immediates(&i)
	i.Bytes = whole[:len(whole)-len(r.b)]
	return i
}

// immediates reads what follows an instruction's code.
func (r *reader) immediates(i *Instruction) {
	switch c := i.Code; {
	case c >= 0x02 && c <= OpIf: // block, loop, if: the type of the block
		r.number()
	case c == OpBr, c == OpBrIf, c == OpCall, c >= OpLocalGet && c <= OpGlobalSet, c == OpRefFunc:
		i.Index = r.uint()
	case c == OpBrTable:
		for n := r.uint(); n > 0 && r.err == nil; n-- {
			r.uint()
		}
		r.uint()
	case c == OpCallIndirect:
		i.Index = r.uint()
		r.uint()
	case c >= OpI32Load && c <= 0x3e: // loads and stores: alignment and offset
		r.uint()
		r.number()
	case c == OpMemorySize, c == OpMemoryGrow, c == OpMemoryFill:
		r.byte()
	case c == OpI32Const, c == OpI64Const:
		r.number()
	case c == 0x43: // f32.const
		r.take(4)
	case c == 0x44: // f64.const
		r.take(8)
	case c == OpMemoryInit:
		r.uint()
		r.byte()
	case c == OpDataDrop:
		r.uint()
	case c == OpMemoryCopy:
		r.take(2)
	case plain(c):
	default:
		r.fail("unknown instruction %#x", c)
	}
}

// plain instructions have no immediates.
func plain(c int) bool {
	switch {
	case c <= 0x01, c == OpElse, c == OpEnd, c == OpReturn, c == 0x1a, c == 0x1b: // control, drop, select
		return true
	case c >= 0x45 && c <= 0xc4: // comparisons, arithmetic, conversions, sign extensions
		return true
	}
	return c >= 0xfc00 && c <= 0xfc07 // saturating truncations
}
