# Debian has libhdf5-dev for one architecture at a time. Its headers are the same for all, and the
# library itself can be installed for several.
file(GLOB HDF5_C_LIBRARIES /usr/lib/aarch64-linux-gnu/libhdf5_serial.so.*)
list(GET HDF5_C_LIBRARIES 0 HDF5_C_LIBRARIES)
set(HDF5_FOUND ON)
set(HDF5_C_INCLUDE_DIRS /usr/include/hdf5/serial)
