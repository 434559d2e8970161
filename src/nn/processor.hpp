/// What this processor can do.
#pragma once

namespace vostrack::nn {

/// AVX2 with fused multiplication and addition.
inline bool has_avx2() {
#ifdef VOSTRACK_X86_KERNELS
  static const bool found = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return found;
#else
  return false;
#endif
}

/// AVX-512's floats.
inline bool has_avx512() {
#ifdef VOSTRACK_X86_KERNELS
  static const bool found = __builtin_cpu_supports("avx512f");
  return found;
#else
  return false;
#endif
}

/// AVX-512's products of bfloat16 pairs.
inline bool has_avx512_bf16() {
#ifdef VOSTRACK_X86_KERNELS
  static const bool found = has_avx512() && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512vl") &&
                            __builtin_cpu_supports("avx512bf16");
  return found;
#else
  return false;
#endif
}

/// AVX-512's products of 8-bit quads.
inline bool has_avx512_vnni() {
#ifdef VOSTRACK_X86_KERNELS
  static const bool found = has_avx512() && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512vl") &&
                            __builtin_cpu_supports("avx512vnni");
  return found;
#else
  return false;
#endif
}

}  // namespace vostrack::nn
