package service

import (
	"bytes"
	"errors"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/backends"
	"github.com/zkinfer/zkinfer/verifier/canister/internal/candid"
	"github.com/zkinfer/zkinfer/verifier/canister/internal/prepared"
	"github.com/zkinfer/zkinfer/verifier/canister/internal/store"
)

// Version is that of the canister's interface and of what it keeps in stable memory.
const Version = "zkinfer canister/1"

// memoryLimit bounds what callers can make the canister pay for.
const memoryLimit = 4 << 30

// TasksLabel is the path under which tasks are certified.
const TasksLabel = "zkinfer tasks"

// Trees of the store.
const (
	treeModels = iota
	treeTasks
	treeStatements // task of each settled statement
)

// Counters of the store.
const (
	countModels = iota
	countTasks
	countSettled
)

// System is what the canister needs of the system it runs on. Only queries have a certificate.
type System interface {
	store.Memory
	Caller() []byte
	IsController(principal []byte) bool
	Time() uint64
	SetCertifiedData(data []byte)
	Certificate() []byte
}

// Service answers calls.
type Service struct {
	sys       System
	store     *store.Store
	key       prepared.Key
	keyDigest [32]byte
	settings  settings
	// kept is the model of the settings, decoded: a large part of a verification otherwise.
	kept prepared.Model
}

// settings are what stable memory holds besides records.
type settings struct {
	key    []byte // as a file has it
	model  [32]byte
	access string
}

// Install begins in empty stable memory, with the key and the model in the argument.
func Install(sys System, argument []byte) (*Service, error) {
	values, err := candid.Decode(argument, candid.Opt(setupType))
	if err != nil {
		return nil, err
	}
	if values[0] == nil {
		return nil, errors.New("no key: install with the argument that zkinfer export canister wrote")
	}
	st, err := store.Create(sys, memoryLimit)
	if err != nil {
		return nil, err
	}
	s := &Service{sys: sys, store: st, settings: settings{access: accessControllers}}
	if err := s.setup(values[0].([]any)); err != nil {
		return nil, err
	}
	s.certify()
	return s, nil
}

// Resume goes on with what stable memory holds, after an upgrade; a setup in the argument replaces the
// key, as replace_key does: only controllers upgrade canisters.
func Resume(sys System, argument []byte) (*Service, error) {
	values := []any{nil}
	if len(argument) > 0 {
		var err error
		if values, err = candid.Decode(argument, candid.Opt(setupType)); err != nil {
			return nil, err
		}
	}
	st, err := store.Open(sys, memoryLimit)
	if err != nil {
		return nil, err
	}
	s := &Service{sys: sys, store: st}
	if err := s.load(); err != nil {
		return nil, err
	}
	if values[0] != nil {
		if err := s.setup(values[0].([]any)); err != nil {
			return nil, err
		}
	}
	s.certify()
	return s, nil
}

// setup takes a key and a model that fits it.
func (s *Service) setup(setup []any) error {
	encoded := setup[0].([]byte)
	key, err := backends.DecodeKey(encoded)
	if err != nil {
		return refuse("malformed_key", "%v", err)
	}
	model, err := commitmentFor(key, setup[1].([]byte))
	if errors.Is(err, verifier.ErrMalformed) {
		return refuse("malformed_key", "%v", err)
	}
	if err != nil {
		return err
	}
	if err := s.use(key); err != nil {
		return err
	}
	s.settings.key = encoded
	if setup[2] != nil {
		s.settings.access = setup[2].(candid.Case).Name
	}
	if s.settings.model, err = s.addModel(model); err != nil {
		return err
	}
	if err := s.keep(); err != nil {
		return err
	}
	return s.save()
}

func (s *Service) load() error {
	values, err := candid.Decode(s.store.Settings(), settingsType)
	if err != nil {
		return err
	}
	v := values[0].([]any)
	s.settings = settings{key: v[0].([]byte), model: [32]byte(v[1].([]byte)), access: v[2].(candid.Case).Name}
	key, err := backends.DecodeKey(s.settings.key)
	if err != nil {
		return err
	}
	if err := s.use(key); err != nil {
		return err
	}
	return s.keep()
}

// keep decodes the model of the settings for all that come after.
func (s *Service) keep() (err error) {
	s.kept, _, err = s.storedModel(s.settings.model)
	return err
}

func (s *Service) use(key verifier.Key) (err error) {
	s.key, err = prepared.NewKey(key)
	s.keyDigest = key.Digest()
	return err
}

func (s *Service) save() error {
	x := &s.settings
	return s.store.SetSettings(candid.Encode([]*candid.Type{settingsType}, []any{[]any{x.key, x.model[:], candid.Case{Name: x.access}}}))
}

// certify makes the system certify all tasks.
func (s *Service) certify() {
	h := store.LabelHash([]byte(TasksLabel), s.store.Tree(treeTasks).Hash())
	s.sys.SetCertifiedData(h[:])
}

var anonymous = []byte{4}

// mayWrite says whether the caller may register models and open tasks.
func (s *Service) mayWrite() error {
	caller := s.sys.Caller()
	switch {
	case s.sys.IsController(caller):
		return nil
	case s.settings.access != accessAnyone:
		return refuse("not_authorized", "only controllers may do this here")
	case bytes.Equal(caller, anonymous):
		return refuse("not_authorized", "the anonymous principal may not do this")
	}
	return nil
}

// replaceKey is for controllers; models and tasks of the old key stay readable.
func (s *Service) replaceKey(argument []byte) ([]byte, error) {
	values, err := candid.Decode(argument, setupType)
	if err != nil {
		return nil, err
	}
	err = refuse("not_authorized", "only controllers may replace the key")
	if s.sys.IsController(s.sys.Caller()) {
		err = s.setup(values[0].([]any))
	}
	return result(candid.Blob, s.keyDigest[:], err)
}

func (s *Service) verifyingKey(argument []byte) ([]byte, error) {
	if _, err := candid.Decode(argument); err != nil {
		return nil, err
	}
	return candid.Encode([]*candid.Type{candid.Blob}, []any{s.settings.key}), nil
}

func (s *Service) info(argument []byte) ([]byte, error) {
	if _, err := candid.Decode(argument); err != nil {
		return nil, err
	}
	m, err := s.registered(s.settings.model)
	if err != nil {
		return nil, err
	}
	about, err := s.key.Subject(m.Commitment())
	if err != nil {
		return nil, err
	}
	x := &s.settings
	return candid.Encode([]*candid.Type{infoType}, []any{[]any{Version, s.keyDigest[:], about.Architecture[:], x.model[:],
		s.key.Describe().TrustedSetup, about.Name, tensorInfos(about.Inputs), tensorInfos(about.Outputs), uint32(about.ProofSize),
		candid.Case{Name: x.access}, s.store.Counter(countModels), s.store.Counter(countTasks), s.store.Counter(countSettled), s.store.Used()}}), nil
}

func tensorInfos(specs []verifier.TensorSpec) []any {
	out := make([]any, len(specs))
	for i, t := range specs {
		shape := make([]any, len(t.Shape))
		for a, d := range t.Shape {
			shape[a] = uint32(d)
		}
		out[i] = []any{t.Name, shape, t.Type, int32(t.Min), int32(t.Max), t.Binding == verifier.BindingCommitted}
	}
	return out
}
