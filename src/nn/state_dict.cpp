#include "nn/state_dict.hpp"
