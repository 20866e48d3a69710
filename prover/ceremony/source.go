package ceremony

import (
	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"

	"github.com/zkinfer/zkinfer/prover/ptau"
)

// readPtau takes the powers for a domain of 2^power points from a .ptau file of that power or more, and
// checks them.
func readPtau(path string, power int) (*mpcsetup.SrsCommons, *Source, error) {
	f, err := ptau.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	if err := f.Need(power); err != nil {
		return nil, nil, err
	}
	powers, err := ptauPowers(f, 1<<power)
	if err != nil {
		return nil, nil, err
	}
	if err := checkPowers(powers); err != nil {
		return nil, nil, err
	}
	digest, err := f.Digest()
	return powers, &Source{Blake2b: digest, Power: f.Power}, err
}

// ptauPowers are those for a domain of n points.
func ptauPowers(f *ptau.File, n int) (out *mpcsetup.SrsCommons, err error) {
	out = &mpcsetup.SrsCommons{}
	if out.G1.Tau, err = f.TauG1(2*n - 1); err != nil {
		return nil, err
	}
	if out.G1.AlphaTau, err = f.AlphaTauG1(n); err != nil {
		return nil, err
	}
	if out.G1.BetaTau, err = f.BetaTauG1(n); err != nil {
		return nil, err
	}
	if out.G2.Tau, err = f.TauG2(n); err != nil {
		return nil, err
	}
	out.G2.Beta, err = f.BetaG2()
	return out, err
}
