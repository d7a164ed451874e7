using System.Text;

namespace NicHost.EndToEnd.Tests.Guests;

/// <summary>
/// The body of an ACPI table with one device, without which the kernel starts no VMBus:
/// <code>
/// Scope (\_SB) { Device (VMBS) { Name (_HID, "VMBUS") Name (_UID, Zero) Name (_STA, 0x0F) Name (_CRS, Buffer { end tag }) } }
/// </code>
/// </summary>
internal static class AcpiTable
{
    // ACPI 6.4, 20.2: opcodes of AML.
    private const byte Zero = 0x00;
    private const byte NameOp = 0x08;
    private const byte BytePrefix = 0x0A;
    private const byte StringPrefix = 0x0D;
    private const byte ScopeOp = 0x10;
    private const byte BufferOp = 0x11;
    private static readonly byte[] s_deviceOp = [0x5B, 0x82];

    // An interrupt without a number, then the end tag: what the kernel parses and makes no use of.
    private static readonly byte[] s_resources = [0x22, 0x80, 0x00, 0x79, 0x00];

    public static byte[] Vmbus()
    {
        byte[] device =
        [
            .. "VMBS"u8,
            .. Name("_HID", [StringPrefix, .. "VMBUS\0"u8]),
            .. Name("_UID", [Zero]),
            .. Name("_STA", [BytePrefix, 0x0F]),
            .. Name("_CRS", [BufferOp, .. Package([BytePrefix, (byte)s_resources.Length, .. s_resources])]),
        ];
        return [ScopeOp, .. Package([.. "\\_SB_"u8, .. s_deviceOp, .. Package(device)])];
    }

    private static byte[] Name(string segment, byte[] value) => [NameOp, .. Encoding.ASCII.GetBytes(segment), .. value];

    /// <summary>20.2.4: the length counts itself; from 64 on it takes a second byte.</summary>
    private static byte[] Package(byte[] content)
    {
        if (content.Length + 1 < 64) return [(byte)(content.Length + 1), .. content];
        var length = content.Length + 2;
        return [(byte)(0x40 | (length & 0xf)), (byte)(length >> 4), .. content];
    }
}
