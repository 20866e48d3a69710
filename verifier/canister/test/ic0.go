package test

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// entry is the kind of an execution, which says what it may call.
type entry int

const (
	entryStart entry = 1 << iota
	entryInit        // also after an upgrade
	entryQuery       // not replicated
	entryUpdate
	everywhere  = entryStart | entryInit | entryQuery | entryUpdate
	withMessage = entryInit | entryQuery | entryUpdate
)

type canisterKey struct{}

// call is one call of the system interface.
type call struct {
	*Canister
	module api.Module
	stack  []uint64
}

// systemCall is a function of the interface: where it may be called, what it costs beside the bytes
// that it copies, its types, and what it does.
type systemCall struct {
	name            string
	where           entry
	cost            int64
	params, results []api.ValueType
	do              func(c *call)
}

var (
	i32    = api.ValueTypeI32
	i64    = api.ValueTypeI64
	i32x2  = []api.ValueType{i32, i32}
	i32x3  = []api.ValueType{i32, i32, i32}
	i64x3  = []api.ValueType{i64, i64, i64}
	oneI32 = []api.ValueType{i32}
	oneI64 = []api.ValueType{i64}
)

var systemCalls = []systemCall{
	{"msg_arg_data_size", withMessage, 500, nil, oneI32, func(c *call) { c.size(c.message.argument) }},
	{"msg_arg_data_copy", withMessage, 500, i32x3, nil, func(c *call) { c.copy(c.message.argument) }},
	{"msg_caller_size", withMessage, 500, nil, oneI32, func(c *call) { c.size(c.message.caller) }},
	{"msg_caller_copy", withMessage, 500, i32x3, nil, func(c *call) { c.copy(c.message.caller) }},
	{"msg_reply_data_append", entryQuery | entryUpdate, 500, i32x2, nil, func(c *call) { c.appendReply() }},
	{"msg_reply", entryQuery | entryUpdate, 500, nil, nil, func(c *call) { c.reply() }},
	{"is_controller", everywhere, 1000, i32x2, oneI32, func(c *call) { c.controls() }},
	{"time", withMessage, 500, nil, oneI64, func(c *call) { c.stack[0] = c.Now }},
	{"certified_data_set", entryInit | entryUpdate, 500, i32x2, nil, func(c *call) { c.certify() }},
	{"data_certificate_present", everywhere, 500, nil, oneI32, func(c *call) { c.certified() }},
	{"data_certificate_size", entryQuery, 500, nil, oneI32, func(c *call) { c.size(c.message.certificate) }},
	{"data_certificate_copy", entryQuery, 500, i32x3, nil, func(c *call) { c.copy(c.message.certificate) }},
	{"stable64_size", withMessage, 20, nil, oneI64, func(c *call) { c.stack[0] = uint64(len(c.Stable) / wasmPage) }},
	{"stable64_grow", withMessage, 500, oneI64, oneI64, func(c *call) { c.grow() }},
	{"stable64_read", withMessage, 20, i64x3, nil, func(c *call) { c.stableRead() }},
	{"stable64_write", withMessage, 20, i64x3, nil, func(c *call) { c.stableWrite() }},
	{"debug_print", everywhere, 100, i32x2, nil, func(c *call) { c.Log = append(c.Log, string(c.bytes(0))) }},
	{"trap", everywhere, 500, i32x2, nil, func(c *call) { c.trap(string(c.bytes(0))) }},
}

// hostModule is ic0.
func hostModule(ctx context.Context, r wazero.Runtime) error {
	b := r.NewHostModuleBuilder("ic0")
	for _, s := range systemCalls {
		b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, m api.Module, stack []uint64) {
			for i, t := range s.params {
				if t == i32 {
					stack[i] = uint64(uint32(stack[i])) // the upper half is undefined
				}
			}
			c := &call{ctx.Value(canisterKey{}).(*Canister), m, stack}
			if c.message.entry&s.where == 0 {
				c.trap(fmt.Sprintf("%s cannot be executed in this entry point", s.name))
			}
			c.charge(s.cost)
			s.do(c)
		}), s.params, s.results).Export(s.name)
	}
	_, err := b.Instantiate(ctx)
	return err
}

// trap ends the execution.
func (c *call) trap(message string) {
	c.message.trapped = &Trap{message}
	panic(message)
}

// charge takes instructions from what is left.
func (c *call) charge(n int64) {
	counter := c.module.ExportedGlobal(counterName).(api.MutableGlobal)
	left := int64(counter.Get()) - n
	counter.Set(uint64(left))
	if left < 0 {
		panic("no instructions left")
	}
}

// bytes are the ones that two parameters, address and length, name.
func (c *call) bytes(first int) []byte {
	return c.view(c.stack[first], c.stack[first+1])
}

// view pays for a range of the heap and checks it.
func (c *call) view(at, length uint64) []byte {
	c.charge(int64(length))
	b, ok := c.module.Memory().Read(uint32(at), uint32(length))
	if !ok || at > 1<<32-1 || length > 1<<32-1 {
		c.trap(fmt.Sprintf("heap out of bounds: %d bytes at %d of %d", length, at, c.module.Memory().Size()))
	}
	return b
}

func (c *call) size(b []byte) { c.stack[0] = uint64(len(b)) }

// copy is address, offset, length.
func (c *call) copy(b []byte) {
	offset, length := c.stack[1], c.stack[2]
	if offset+length > uint64(len(b)) {
		c.trap("out of the message's bounds")
	}
	copy(c.view(c.stack[0], length), b[offset:offset+length])
}

func (c *call) appendReply() {
	if c.message.replied {
		c.trap("replied already")
	}
	c.message.reply = append(c.message.reply, c.bytes(0)...)
	if len(c.message.reply) > 2<<20 {
		c.trap("reply of more than 2 MiB")
	}
}

func (c *call) reply() {
	if c.message.replied {
		c.trap("replied already")
	}
	c.message.replied = true
}

func (c *call) controls() {
	p := c.bytes(0)
	if len(p) > 29 {
		c.trap("no principal")
	}
	c.stack[0] = 0
	if c.isController(p) {
		c.stack[0] = 1
	}
}

func (c *call) certify() {
	b := c.bytes(0)
	if len(b) > 32 {
		c.trap("certified data of more than 32 bytes")
	}
	c.CertifiedData = append([]byte{}, b...)
}

func (c *call) certified() {
	c.stack[0] = 0
	if c.message.entry == entryQuery {
		c.stack[0] = 1
	}
}

func (c *call) grow() {
	before := uint64(len(c.Stable) / wasmPage)
	if before+c.stack[0] > 1<<14 { // 1 GiB is enough for tests
		c.stack[0] = ^uint64(0)
		return
	}
	c.Stable = append(c.Stable, make([]byte, c.stack[0]*wasmPage)...)
	c.stack[0] = before
}

// stableRange checks a range of stable memory.
func (c *call) stableRange(at, length uint64) []byte {
	if at+length < at || at+length > uint64(len(c.Stable)) {
		c.trap("stable memory out of bounds")
	}
	return c.Stable[at : at+length]
}

func (c *call) stableRead() {
	copy(c.view(c.stack[0], c.stack[2]), c.stableRange(c.stack[1], c.stack[2]))
}

func (c *call) stableWrite() {
	copy(c.stableRange(c.stack[0], c.stack[2]), c.view(c.stack[1], c.stack[2]))
}
