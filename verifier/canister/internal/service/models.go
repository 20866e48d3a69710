package service

import (
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/backends"
	"github.com/zkinfer/zkinfer/verifier/canister/internal/candid"
	"github.com/zkinfer/zkinfer/verifier/canister/internal/prepared"
)

func (s *Service) registerModel(argument []byte) ([]byte, error) {
	values, err := candid.Decode(argument, candid.Blob)
	if err != nil {
		return nil, err
	}
	d, err := s.register(values[0].([]byte))
	return result(candid.Blob, d[:], err)
}

func (s *Service) register(commitment []byte) (d [32]byte, err error) {
	if err := s.mayWrite(); err != nil {
		return d, err
	}
	m, err := commitmentFor(s.key, commitment)
	if err != nil {
		return d, err
	}
	return s.addModel(m)
}

// addModel keeps a model under its digest; one that is there already stays as it is.
func (s *Service) addModel(m verifier.Commitment) ([32]byte, error) {
	d := m.Digest()
	if s.store.Tree(treeModels).Has(d) {
		return d, nil
	}
	ready, err := prepared.NewModel(m)
	if err != nil {
		return d, err
	}
	record := candid.Encode([]*candid.Type{storedModelType}, []any{[]any{ready.AppendBinary(nil), s.keyDigest[:],
		s.sys.Caller(), s.sys.Time()}})
	if err := s.store.Tree(treeModels).Insert(d, record, 0); err != nil {
		return d, err
	}
	s.store.Count(countModels)
	return d, nil
}

// commitmentFor decodes a model commitment that fits the key.
func commitmentFor(key verifier.Key, b []byte) (verifier.Commitment, error) {
	m, err := backends.DecodeCommitment(key.Backend(), b)
	if err != nil {
		return nil, err
	}
	_, err = key.Subject(m)
	return m, err
}

// storedModel is a model's record: table, key, registrar, time.
func (s *Service) storedModel(d [32]byte) (prepared.Model, []any, error) {
	b, err := s.store.Tree(treeModels).Get(d)
	if err != nil {
		return nil, nil, refuse("key_mismatch", "model %x… is not registered here", d[:4])
	}
	values, err := candid.Decode(b, storedModelType)
	if err != nil {
		return nil, nil, err
	}
	record := values[0].([]any)
	m, err := prepared.ParseModel(record[0].([]byte))
	return m, record, err
}

func (s *Service) registered(d [32]byte) (prepared.Model, error) {
	if s.kept != nil && d == s.settings.model {
		return s.kept, nil
	}
	m, _, err := s.storedModel(d)
	return m, err
}

func (s *Service) model(argument []byte) ([]byte, error) {
	values, err := candid.Decode(argument, candid.Blob)
	if err != nil {
		return nil, err
	}
	answer, err := s.modelRecord(values[0].([]byte))
	return result(modelType, answer, err)
}

func (s *Service) modelRecord(b []byte) (any, error) {
	d, err := digest(b)
	if err != nil {
		return nil, err
	}
	m, record, err := s.storedModel(d)
	if err != nil {
		return nil, err
	}
	commitment, err := m.Commitment().MarshalBinary()
	return []any{d[:], commitment, record[1], record[2], record[3]}, err
}
