package fixedpoint

// The transcendental functions of quantized reference kernels, in fixed point on 32 bits: the formulas
// of gemmlowp's fixedpoint library (Jacob and Warden, 2015), which TensorFlow Lite's softmax, logistic
// and tanh are defined by. A raw value with i integer bits is the real number raw·2^(i−31).

const (
	one      = 1<<31 - 1 // nearest to 1 with no integer bit
	oneIn2   = 1 << 29   // 1 with two integer bits
	expm1_8  = 1895147668
	third    = 715827883
	a48by17  = 1515870810  // 48/17 with two integer bits
	na32by17 = -1010580540 // −32/17 with two integer bits
)

// expSteps are exp(−2^k) for k = −2, −1, …, 4, with no integer bit.
var expSteps = [7]int32{1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242}

// Exp is exp(a) with no integer bit, for a ≤ 0 with 0 to 5 integer bits: a polynomial on [−¼, 0), then
// a product for each power of two in what is left. Exp(0) is 1 − 2^−31.
func Exp(a int32, integerBits int) int32 {
	if a == 0 {
		return one
	}
	quarter := int32(1) << (29 - integerBits)
	rest := a&(quarter-1) - quarter // in [−¼, 0)
	e := expNearZero(rest << integerBits)
	whole := rest - a // a multiple of ¼
	for k, step := range expSteps {
		if exponent := k - 2; exponent < integerBits && whole&(1<<(31-integerBits+exponent)) != 0 {
			e = SRDHM(e, step)
		}
	}
	return e
}

// expNearZero is exp(a) for a in [−¼, 0) with no integer bit: exp(−⅛) times a Taylor polynomial around it.
func expNearZero(a int32) int32 {
	x := a + 1<<28
	x2 := SRDHM(x, x)
	x3 := SRDHM(x2, x)
	x4 := SRDHM(x2, x2)
	tail := RDBPOT(SRDHM(RDBPOT(x4, 2)+x3, third)+x2, 1)
	return expm1_8 + SRDHM(expm1_8, x+tail)
}

// reciprocal is 1/h with two integer bits, by Newton's iteration, for h = (1+a)/2, a in [0, 1) with no integer bit.
func reciprocal(a int32) int32 {
	h := int32((int64(a) + one + 1) / 2)
	x := int32(a48by17 + SRDHM(h, na32by17))
	for range 3 {
		x += shiftLeft(SRDHM(x, oneIn2-SRDHM(h, x)), 2)
	}
	return x
}

// shiftLeft saturates.
func shiftLeft(x int32, bits int) int32 {
	return int32(min(max(int64(x)<<bits, -1<<31), one))
}

// OneOverOnePlus is 1/(1+a) with no integer bit, for a in [0, 1).
func OneOverOnePlus(a int32) int32 { return shiftLeft(reciprocal(a), 1) }

// Logistic is 1/(1+exp(−a)) with no integer bit, for a with the given number of integer bits.
func Logistic(a int32, integerBits int) int32 {
	switch {
	case a == 0:
		return 1 << 30
	case a > 0:
		return OneOverOnePlus(Exp(-a, integerBits))
	}
	return one - OneOverOnePlus(Exp(a, integerBits))
}

// Tanh is tanh(a) with no integer bit, for a with 0 to 4 integer bits.
func Tanh(a int32, integerBits int) int32 {
	if a == 0 {
		return 0
	}
	negative := a < 0
	if !negative {
		a = -a
	}
	// The same bits with one more integer bit are 2a. (1−e)/(1+e) = 2/(1+e) − 1.
	t := shiftLeft(reciprocal(Exp(a, integerBits+1))-oneIn2, 2)
	if negative {
		return -t
	}
	return t
}
