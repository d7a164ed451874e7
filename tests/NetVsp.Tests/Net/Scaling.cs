using System.Buffers.Binary;
using NicHost.Probe.Netvsc;

namespace NicHost.NetVsp.Tests.Net;

/// <summary>RSS settings as drivers write them: fixed part, table, key.</summary>
internal static class Scaling
{
    public static readonly byte[] Key = Convert.FromHexString("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa");

    public static byte[] Setting(uint[] table, int keySize = 40, uint? tableOffset = null, byte function = 1)
    {
        var setting = new byte[40 + (4 * table.Length) + keySize];
        setting[0] = 0x89;
        setting[1] = 2;
        BinaryPrimitives.WriteUInt16LittleEndian(setting.AsSpan(2), 40);
        // TCP and addresses of both versions.
        BinaryPrimitives.WriteUInt32LittleEndian(setting.AsSpan(8), function | 0x1700u);
        BinaryPrimitives.WriteUInt16LittleEndian(setting.AsSpan(12), (ushort)(4 * table.Length));
        BinaryPrimitives.WriteUInt32LittleEndian(setting.AsSpan(16), tableOffset ?? 40);
        BinaryPrimitives.WriteUInt16LittleEndian(setting.AsSpan(20), (ushort)keySize);
        BinaryPrimitives.WriteUInt32LittleEndian(setting.AsSpan(24), (uint)(40 + (4 * table.Length)));
        VmbusClient.Words(table).CopyTo(setting, 40);
        Key.AsSpan(0, keySize).CopyTo(setting.AsSpan(40 + (4 * table.Length)));
        return setting;
    }
}
