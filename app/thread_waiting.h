#pragma once

namespace seq2seq {

/// Makes idle OpenMP threads sleep instead of spin, unless OMP_WAIT_POLICY or GOMP_SPINCOUNT is set. Beside
/// another busy program, spinning threads take cores from the thread that they wait for: training can become
/// fifty times slower. The OpenMP library reads the environment when it is loaded, before `main`, so the
/// program executes itself again.
void let_threads_sleep(char** argv);

}  // namespace seq2seq
