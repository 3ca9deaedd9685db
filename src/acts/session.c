#include "acts/session.h"
