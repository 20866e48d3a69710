package test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// Limits of the Internet Computer for one message.
const (
	updateLimit  = 40_000_000_000
	queryLimit   = 5_000_000_000
	installLimit = 300_000_000_000
	wasmPage     = 1 << 16
	osPage       = 1 << 12
	// dirtyPageCost is charged for each page of 4 KiB that an update changes.
	dirtyPageCost = 1000
)

// Engine runs instrumented modules.
type Engine struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	globals  int
}

// Trap is how the system tells a caller that a message was undone.
type Trap struct{ Message string }

func (t *Trap) Error() string { return "trapped: " + t.Message }

// ErrInstructions: the message used more instructions than it may.
var ErrInstructions = errors.New("instruction limit exceeded")

// NewEngine compiles a module.
func NewEngine(ctx context.Context, module []byte) (*Engine, error) {
	instrumented, globals, err := instrument(module)
	if err != nil {
		return nil, err
	}
	e := &Engine{runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(1<<16)), globals: globals}
	if err := hostModule(ctx, e.runtime); err != nil {
		return nil, err
	}
	e.compiled, err = e.runtime.CompileModule(ctx, instrumented)
	return e, err
}

// Canister is one canister: a module's memory and globals between messages, and what the system keeps.
type Canister struct {
	engine *Engine
	module api.Module

	Stable        []byte
	CertifiedData []byte
	Controllers   [][]byte
	Now           uint64
	Log           []string
	// Instructions and DirtyPages are those of the last message.
	Instructions int64
	DirtyPages   int
	// Reserved instructions for tests of the limit; 0 for the system's.
	Limit int64

	message *message
}

// message is one execution.
type message struct {
	entry       entry
	argument    []byte
	caller      []byte
	reply       []byte
	replied     bool
	certificate []byte
	trapped     *Trap
}

// state is what undoing needs.
type state struct {
	memory    []byte
	globals   []uint64
	stable    []byte
	certified []byte
}

// Install creates a canister.
func (e *Engine) Install(ctx context.Context, controller, argument []byte) (*Canister, error) {
	c := &Canister{engine: e, Controllers: [][]byte{controller}, Now: 1_700_000_000_000_000_000}
	return c, c.begin(ctx, "canister_init", controller, argument)
}

// Upgrade runs the module anew: only stable memory is kept, and if it fails, everything is as before.
func (c *Canister) Upgrade(ctx context.Context, caller, argument []byte) error {
	if !c.isController(caller) {
		return errors.New("only controllers upgrade a canister")
	}
	return c.begin(ctx, "canister_post_upgrade", caller, argument)
}

// begin instantiates the module, runs start and then an entry point.
func (c *Canister) begin(ctx context.Context, entryPoint string, caller, argument []byte) error {
	old, before := c.module, c.systemState()
	if err := c.instantiate(ctx); err != nil {
		return err
	}
	err := c.execute(ctx, &message{entry: entryStart}, startName, installLimit)
	started := c.Instructions
	if err == nil {
		err = c.execute(ctx, &message{entry: entryInit, caller: caller, argument: argument}, entryPoint, installLimit)
	}
	c.Instructions += started
	if err != nil {
		c.module.Close(ctx)
		c.module, c.Stable, c.CertifiedData = old, before.stable, before.certified
		return err
	}
	if old != nil {
		return old.Close(ctx)
	}
	return nil
}

func (c *Canister) instantiate(ctx context.Context) (err error) {
	c.module, err = c.engine.runtime.InstantiateModule(ctx, c.engine.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	return err
}

// Query calls a query method: nothing of it stays.
func (c *Canister) Query(ctx context.Context, caller []byte, method string, argument []byte) ([]byte, error) {
	before := c.state()
	m := &message{entry: entryQuery, caller: caller, argument: argument, certificate: certificateOf(c.CertifiedData)}
	err := c.execute(ctx, m, "canister_query "+method, queryLimit)
	if e := c.restore(ctx, before); e != nil {
		return nil, e
	}
	return m.answer(err)
}

// Update calls an update method; one that traps is undone.
func (c *Canister) Update(ctx context.Context, caller []byte, method string, argument []byte) ([]byte, error) {
	before := c.state()
	m := &message{entry: entryUpdate, caller: caller, argument: argument}
	err := c.execute(ctx, m, "canister_update "+method, updateLimit)
	if err != nil {
		if e := c.restore(ctx, before); e != nil {
			return nil, e
		}
	} else {
		c.DirtyPages = dirty(before.memory, c.memory())
		c.Instructions += int64(c.DirtyPages) * dirtyPageCost
	}
	return m.answer(err)
}

func (m *message) answer(err error) ([]byte, error) {
	if err == nil && !m.replied {
		err = errors.New("the canister did not reply")
	}
	return m.reply, err
}

// certificateOf stands for the subnet's signature of certified data.
func certificateOf(data []byte) []byte { return append([]byte("certificate of "), data...) }

// execute runs one exported function with so many instructions.
func (c *Canister) execute(ctx context.Context, m *message, export string, limit int64) error {
	f := c.module.ExportedFunction(export)
	if f == nil {
		return fmt.Errorf("the canister has no %q", export)
	}
	if c.Limit > 0 {
		limit = c.Limit
	}
	counter := c.module.ExportedGlobal(counterName).(api.MutableGlobal)
	counter.Set(uint64(limit))
	c.message = m
	c.Now++
	_, err := f.Call(context.WithValue(ctx, canisterKey{}, c))
	left := int64(counter.Get())
	c.Instructions = limit - left
	switch {
	case m.trapped != nil:
		return m.trapped
	case left < 0:
		return ErrInstructions
	case err != nil:
		return &Trap{strings.SplitN(err.Error(), "\n", 2)[0]}
	}
	return nil
}

func (c *Canister) isController(principal []byte) bool {
	for _, p := range c.Controllers {
		if bytes.Equal(p, principal) {
			return true
		}
	}
	return false
}

// memory is the module's heap, not copied.
func (c *Canister) memory() []byte {
	m := c.module.ExportedMemory("memory")
	b, _ := m.Read(0, m.Size())
	return b
}

// HeapBytes is the size of the heap.
func (c *Canister) HeapBytes() int { return len(c.memory()) }

func (c *Canister) systemState() *state {
	return &state{stable: bytes.Clone(c.Stable), certified: c.CertifiedData}
}

func (c *Canister) state() *state {
	s := c.systemState()
	s.memory = bytes.Clone(c.memory())
	for i := range c.engine.globals {
		s.globals = append(s.globals, c.module.ExportedGlobal(fmt.Sprintf(globalName, i)).Get())
	}
	return s
}

// restore undoes everything since a state. A heap that has grown is thrown away: memory cannot shrink.
func (c *Canister) restore(ctx context.Context, s *state) error {
	if len(c.memory()) != len(s.memory) {
		if err := c.module.Close(ctx); err != nil {
			return err
		}
		if err := c.instantiate(ctx); err != nil {
			return err
		}
		if missing := len(s.memory) - len(c.memory()); missing > 0 {
			if _, ok := c.module.ExportedMemory("memory").Grow(uint32(missing / wasmPage)); !ok {
				return errors.New("the heap cannot be restored")
			}
		}
	}
	copy(c.memory(), s.memory)
	for i, v := range s.globals {
		if g, mutable := c.module.ExportedGlobal(fmt.Sprintf(globalName, i)).(api.MutableGlobal); mutable {
			g.Set(v)
		}
	}
	c.Stable, c.CertifiedData = s.stable, s.certified
	return nil
}

// dirty is the number of pages of 4 KiB that differ.
func dirty(before, after []byte) int {
	n := 0
	for at := 0; at < len(after); at += osPage {
		page := after[at : at+osPage]
		if at >= len(before) {
			if !bytes.Equal(page, make([]byte, osPage)) {
				n++
			}
		} else if !bytes.Equal(page, before[at:at+osPage]) {
			n++
		}
	}
	return n
}
