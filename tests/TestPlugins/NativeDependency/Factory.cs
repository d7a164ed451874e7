using System.Runtime.InteropServices;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace NicHost.TestPlugins.NativeDependency;

/// <summary>Endpoints that call into a native library of the plugin's own.</summary>
[EndpointKind("native-dependency")]
public sealed partial class Factory : IEndpointFactory
{
    public OptionsModel Options => QuietOptions.Model;

    public IEndpoint Create(EndpointContext context) => new Labelled($"{Checksum("123456789"u8):x8}");

    // .NET's own compression library, which tests put into the plugin's folder under this name.
    [LibraryImport("testnative", EntryPoint = "CompressionNative_Crc32")]
    private static unsafe partial uint Crc32(uint start, byte* data, int length);

    private static unsafe uint Checksum(ReadOnlySpan<byte> data)
    {
        // SAFETY: pinned; the library reads the length that is given.
        fixed (byte* p = data) return Crc32(0, p, data.Length);
    }
}
