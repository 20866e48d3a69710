package ceremony

import (
	"errors"

	"github.com/zkinfer/zkinfer/internal/envelope"
	"github.com/zkinfer/zkinfer/prover/ptau"
)

// What can be wrong. Every error of this package wraps one of these or is the operating system's.
var (
	// ErrMalformed: a file or folder that is no transcript, or a damaged one.
	ErrMalformed = envelope.ErrMalformed
	// ErrLimit: a circuit or a ceremony too large, or too small, for this program.
	ErrLimit = errors.New("not a size for a ceremony")
	// ErrRejected: a transcript was checked and is wrong: somebody cheated, or mixed up files.
	ErrRejected = errors.New("ceremony rejected")
	// ErrOrder: something that is not the turn of, such as a contribution to a finished ceremony.
	ErrOrder = errors.New("not now")
	// ErrCircuit: a transcript of another circuit than the one at hand.
	ErrCircuit = errors.New("the ceremony is for another circuit")
	// ErrBeacon: a random value that is none.
	ErrBeacon = errors.New("unsuitable random value")
	// ErrPowers: a file of powers of tau that is damaged, too small, or wrong.
	ErrPowers = ptau.ErrPowers
)
