/* Go programs take random bytes from ProcessPrng in bcryptprimitives.dll, which Wine before 9 does not have. This is that
 * one function over RtlGenRandom: https://learn.microsoft.com/windows/win32/seccng/processprng */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length); /* RtlGenRandom */

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length)
{
    while (length > 0) {
        ULONG part = length > 0x40000000 ? 0x40000000 : (ULONG)length;
        if (!SystemFunction036(buffer, part)) return FALSE;
        buffer += part;
        length -= part;
    }
    return TRUE;
}
