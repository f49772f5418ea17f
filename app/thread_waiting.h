#pragma once

namespace seq2seq {

/// Lets idle OpenMP threads sleep instead of spin, unless OMP_WAIT_POLICY or GOMP_SPINCOUNT says otherwise.
/// Beside another busy program, spinning threads take the processor from the one that everybody waits for:
/// training was seen to slow down fifty-fold. The OpenMP library reads the environment when it is loaded,
/// before `main`, so the program starts itself once more.
void let_threads_sleep(char** argv);

}  // namespace seq2seq
