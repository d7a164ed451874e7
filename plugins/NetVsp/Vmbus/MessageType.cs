namespace NicHost.NetVsp.Vmbus;

/// <summary>VMBus control messages.</summary>
internal enum MessageType : uint
{
    Offer = 1,
    Rescind = 2,
    RequestOffers = 3,
    AllOffersDelivered = 4,
    Open = 5,
    OpenResult = 6,
    Close = 7,
    GpadlHeader = 8,
    GpadlBody = 9,
    GpadlCreated = 10,
    GpadlTeardown = 11,
    GpadlTorndown = 12,
    RelIdReleased = 13,
    InitiateContact = 14,
    VersionResponse = 15,
    Unload = 16,
    UnloadResponse = 17,
    ConnectSocket = 21,
    Modify = 22,
    ConnectSocketResult = 23,
    ModifyResponse = 24,
}

/// <summary>Results in VMBus messages.</summary>
internal static class VmbusStatus
{
    public const uint Success = 0;
    public const uint Unsuccessful = 0xC000_0001;
    public const uint InvalidParameter = 0xC000_000D;
    public const uint ConnectionRefused = 0xC000_0236;
}

/// <summary>Versions of VMBus, major in the upper half.</summary>
internal static class VmbusVersions
{
    public const uint V2_4 = 0x0002_0004;
    public const uint V3_0 = 0x0003_0000;
    public const uint V4_0 = 0x0004_0000;
    public const uint V4_1 = 0x0004_0001;
    public const uint V5_0 = 0x0005_0000;
    public const uint V5_1 = 0x0005_0001;
    public const uint V5_2 = 0x0005_0002;
    public const uint V5_3 = 0x0005_0003;

    /// <summary>All that are spoken, newest first.</summary>
    public static IReadOnlyList<uint> All { get; } = [V5_3, V5_2, V5_1, V5_0, V4_1, V4_0, V3_0, V2_4];

    /// <summary><c>5.3</c>.</summary>
    public static string Text(uint version) => $"{version >> 16}.{version & 0xffff}";

    /// <summary>Reads <c>5.3</c>; null for anything that is not spoken.</summary>
    public static uint? Parse(string text)
    {
        foreach (var version in All)
        {
            if (Text(version) == text) return version;
        }
        return null;
    }
}
