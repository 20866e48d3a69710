package test

import (
	"fmt"

	"github.com/zkinfer/zkinfer/verifier/canister/internal/wasm"
)

// Names of what instrument exports.
const (
	counterName = "instructions left"
	startName   = "start"
	globalName  = "global %d"
)

// instrument makes a module count its instructions down in a global, and stop when none are left. As in
// the replica, each basic block pays when it is entered, and operations on ranges of memory pay for
// their length before they run. The start function is exported instead of being run, and so is every
// variable, so that a message can be undone.
func instrument(module []byte) ([]byte, int, error) {
	m, err := wasm.Parse(module)
	if err != nil {
		return nil, 0, err
	}
	globals := len(m.Globals)
	counter := uint32(globals)
	m.Globals = append(m.Globals, wasm.Global{Type: wasm.I64, Mutable: true, Init: []byte{wasm.OpI64Const, 0, wasm.OpEnd}})
	length := &meter{counter: counter}
	pay := uint32(len(m.Imports) + len(m.Functions))
	for i := range m.Functions {
		w := &meter{counter: counter, payLength: pay}
		code, err := w.function(m.Functions[i].Code)
		if err != nil {
			return nil, 0, fmt.Errorf("function %d: %w", i, err)
		}
		m.Functions[i].Code = code
	}
	m.Functions = append(m.Functions, wasm.Function{Type: m.TypeIndex(wasm.FuncType{Params: []byte{wasm.I32}, Results: []byte{wasm.I32}}),
		Locals: []byte{0}, Code: length.lengthPayer()})
	m.Exports = append(m.Exports, wasm.Export{Name: counterName, Kind: wasm.KindGlobal, Index: counter})
	for i := range globals {
		m.Exports = append(m.Exports, wasm.Export{Name: fmt.Sprintf(globalName, i), Kind: wasm.KindGlobal, Index: uint32(i)})
	}
	if m.Start != nil {
		m.Exports = append(m.Exports, wasm.Export{Name: startName, Kind: wasm.KindFunction, Index: *m.Start})
		m.Start = nil
	}
	return m.Encode(), globals, nil
}

// meter rewrites one function, block by block.
type meter struct {
	counter   uint32
	payLength uint32 // function that pays for a length and returns it
	out       []byte
	block     []byte // instructions since the last point of payment
	cost      int64
	again     bool // the block may be entered again: check what is left
}

func (w *meter) function(code []byte) ([]byte, error) {
	// A function pays at least one, even an empty one.
	w.cost, w.again = 1, true
	err := wasm.Walk(code, w.instruction)
	w.flush(false)
	return w.out, err
}

func (w *meter) instruction(i wasm.Instruction) {
	w.cost += weight(i.Code)
	switch i.Code {
	case wasm.OpMemoryFill, wasm.OpMemoryCopy, wasm.OpMemoryInit:
		w.block = wasm.AppendUint(append(w.block, wasm.OpCall), uint64(w.payLength))
	}
	w.block = append(w.block, i.Bytes...)
	switch i.Code {
	case wasm.OpLoop:
		w.flush(true)
	case wasm.OpIf, wasm.OpElse, wasm.OpEnd, wasm.OpBr, wasm.OpBrIf, wasm.OpBrTable, wasm.OpReturn, wasm.OpUnreachable:
		w.flush(false)
	}
}

// flush writes the block behind its payment.
func (w *meter) flush(again bool) {
	if w.cost > 0 {
		w.out = w.pay(w.out, wasm.AppendInt([]byte{wasm.OpI64Const}, w.cost), w.again)
	}
	w.out = append(w.out, w.block...)
	w.block, w.cost, w.again = w.block[:0], 0, again
}

func (w *meter) pay(out, amount []byte, check bool) []byte {
	out = append(wasm.AppendUint(append(out, wasm.OpGlobalGet), uint64(w.counter)), amount...)
	out = wasm.AppendUint(append(out, wasm.OpI64Sub, wasm.OpGlobalSet), uint64(w.counter))
	if check {
		out = wasm.AppendUint(append(out, wasm.OpGlobalGet), uint64(w.counter))
		out = append(out, wasm.OpI64Const, 0, wasm.OpI64LtS, wasm.OpIf, 0x40, wasm.OpUnreachable, wasm.OpEnd)
	}
	return out
}

// lengthPayer is the code of a function that pays for a length and returns it.
func (w *meter) lengthPayer() []byte {
	out := w.pay(nil, []byte{wasm.OpLocalGet, 0, wasm.OpI64ExtendU}, true)
	return append(out, wasm.OpLocalGet, 0, wasm.OpEnd)
}

// weight is the cost of an instruction on the replica.
func weight(code int) int64 {
	switch {
	case code == 0x02, code == wasm.OpLoop, code == wasm.OpElse, code == wasm.OpEnd:
		return 0
	case code == wasm.OpIf, code >= wasm.OpBr && code <= wasm.OpBrTable, code == wasm.OpGlobalGet, code == wasm.OpGlobalSet:
		return 2
	case code == wasm.OpCall:
		return 5
	case code == wasm.OpCallIndirect:
		return 10
	case code == wasm.OpMemorySize:
		return 20
	case code == wasm.OpMemoryGrow, code == wasm.OpDataDrop:
		return 300
	case code == wasm.OpMemoryInit, code == wasm.OpMemoryCopy, code == wasm.OpMemoryFill:
		return 100
	case code >= 0x6d && code <= 0x70, code >= 0x7f && code <= 0x82: // integer division
		return 10
	case code >= 0xfc00 && code <= 0xfc07, code >= 0xa8 && code <= 0xab, code >= 0xae && code <= 0xb1: // floats to integers
		return 20
	case code == wasm.OpRefFunc:
		return 130
	}
	return floatWeight(code)
}

// floatWeight is the cost of the operations on floating point numbers that cost more than 1.
func floatWeight(code int) int64 {
	switch {
	case code >= 0x5b && code <= 0x66: // comparisons
		return 3
	case code == 0x8b, code == 0x8c, code == 0x99, code == 0x9a: // abs, neg
		return 1
	case code == 0x91, code == 0x95, code == 0x98: // f32: sqrt 5, div 3, copysign 2
		return map[int]int64{0x91: 5, 0x95: 3, 0x98: 2}[code]
	case code == 0x9f, code == 0xa3, code == 0xa6: // f64: sqrt 8, div 5, copysign 3
		return map[int]int64{0x9f: 8, 0xa3: 5, 0xa6: 3}[code]
	case code == 0x96, code == 0x97, code == 0xa4, code == 0xa5: // min, max
		return 18
	case code >= 0x8b && code <= 0xa6:
		return 2
	case code == 0xb2, code == 0xb4, code == 0xb7, code == 0xb9: // signed integers to floats
		return 3
	case code == 0xb3, code == 0xb5, code == 0xb8, code == 0xba:
		return 16
	}
	return 1
}
