/// Everything.
#pragma once

#include "vostrack/colour.hpp"
#include "vostrack/drawing.hpp"
#include "vostrack/error.hpp"
#include "vostrack/frame_source.hpp"
#include "vostrack/image.hpp"
#include "vostrack/live.hpp"
#include "vostrack/model.hpp"
#include "vostrack/pushed.hpp"
#include "vostrack/result.hpp"
#include "vostrack/session.hpp"
#include "vostrack/stream.hpp"
#include "vostrack/types.hpp"
#include "vostrack/version.hpp"
#include "vostrack/video.hpp"
#include "vostrack/writing.hpp"
